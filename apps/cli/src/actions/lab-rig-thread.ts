// The thread of a rig that the lab shows: a session on the real clock, its rows to whoever watches.

import { parentPort, workerData } from "node:worker_threads";
import { findRig } from "@drydock/core/rigs/catalogue";
import { SharedRig } from "@drydock/lab/session/shared-rig";
import { hostTurn } from "@drydock/node/host-turn";
import type { LabThreadData } from "./board.ts";
import { isRigFile, loadRigFile } from "./rig-file.ts";
import { serveSeats } from "./rig-thread-seats.ts";

const { firstRun, rig, seed } = workerData as LabThreadData & { readonly firstRun: number };
const port = parentPort;
if (port === null) throw new Error("this is the script of a thread");

const entry = isRigFile(rig) ? await loadRigFile(rig) : findRig(rig);
if (entry === null) throw new Error(`there is no rig "${rig}"`);
const shared = new SharedRig(
  {
    turn: hostTurn,
    now: () => performance.now(),
    pause: (milliseconds) =>
      milliseconds <= 0 ? hostTurn() : new Promise((resolve) => setTimeout(resolve, milliseconds)),
    findRig: (name) => (name === entry.name ? entry : null),
  },
  entry.name,
  firstRun,
  !isRigFile(rig),
);
serveSeats(port, () => shared.watchers);
await shared.open(seed);
