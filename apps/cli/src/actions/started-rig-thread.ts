// The thread of the rig that comes with the board: real clock, real terminals; its talk goes to the command.

import { parentPort, workerData } from "node:worker_threads";
import { Watchers } from "@drydock/lab/session/watchers";
import { LiveRigRun } from "./live-rig.ts";
import { recordingsOf } from "./recording-files.ts";
import { serveSeats } from "./rig-thread-seats.ts";
import type { FromStartedRig, StartedThreadData, ToStartedRig } from "./started-rig.ts";
import { threadIo } from "./thread-io.ts";
import { watchedRig } from "./watched-rig.ts";

const { firstRun, options } = workerData as StartedThreadData & { readonly firstRun: number };
const port = parentPort;
if (port === null) throw new Error("this is the script of a thread");
const send = (message: FromStartedRig): void => port.postMessage(message);

/** Data on stdout is for a rig that comes alone. */
const io = threadIo((talk) => {
  if (talk.kind !== "document") send(talk);
});

try {
  const run = await LiveRigRun.make(options, io, (made, isThere) =>
    send({ kind: isThere ? "terminal" : "no-terminal", ...made }),
  );
  const watchers = new Watchers(watchedRig(run.rig, options, firstRun));
  serveSeats<ToStartedRig>(
    port,
    () => watchers,
    (message) => (message.kind === "stop" ? run.stop() : run.command(message.text)),
  );
  const isWell = await run.run();
  const { timeline, usb } = run.rig;
  send({
    kind: "ended",
    isWell,
    failure: run.failureText,
    nowNs: run.nowNs,
    recordings: recordingsOf(
      { timeline, trace: usb.trace },
      { pcap: options.isPcapWanted, perfetto: options.isPerfettoWanted },
    ),
  });
} catch (error) {
  // A port of the network that is taken, a terminal that cannot be made: words for people.
  send({ kind: "refused", text: error instanceof Error ? error.message : String(error) });
}
port.close();
