// The thread of a rig that the lab shows: a session on the real clock, its rows to whoever watches.

import { parentPort, workerData } from "node:worker_threads";
import type { FromRigThread, RigThreadOptions, ToRigThread } from "@drydock/board-server/rig-in-thread";
import { findRig } from "@drydock/core/rigs/catalogue";
import { SharedRig } from "@drydock/lab/session/shared-rig";
import type { Watcher } from "@drydock/lab/session/watchers";
import { hostTurn } from "@drydock/node/host-turn";
import { isRigFile, loadRigFile } from "./rig-file.ts";

/** Batches go out so often at most. */
const batchMs = 16;

const { firstRun, rig, seed } = workerData as RigThreadOptions;
const port = parentPort;
if (port === null) throw new Error("this is the script of a thread");
const send = (message: FromRigThread, transfer: readonly ArrayBuffer[] = []): void =>
  port.postMessage(message, [...transfer]);

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
const watchers = new Map<number, Watcher>();

port.on("message", (message: ToRigThread) => {
  switch (message.kind) {
    case "ping":
      return send({ kind: "pong" });
    case "join": {
      const { watcher } = message;
      const added = shared.watchers.add({
        sendBytes: (frame) => send({ kind: "bytes", watcher, frame }, [frame.buffer as ArrayBuffer]),
        sendText: (text) => send({ kind: "text", watcher, text }),
        close: (code, reason) => send({ kind: "close", watcher, code, reason }),
      });
      watchers.set(watcher, added);
      return;
    }
    case "take":
      return watchers.get(message.watcher)?.take(message.text);
    case "leave": {
      const gone = watchers.get(message.watcher);
      if (gone !== undefined) shared.watchers.remove(gone);
      watchers.delete(message.watcher);
    }
  }
});
setInterval(() => shared.watchers.serve(), batchMs);
await shared.open(seed);
