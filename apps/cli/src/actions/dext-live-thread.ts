// The thread of a dext on a device of a USB/IP server: real clock, real terminals.

import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { IOMedia } from "@drydock/core/families/block/io-media";
import { formatLogRow } from "@drydock/core/platform/log-text";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import type { Properties } from "@drydock/core/platform/properties";
import { AnyUsbRig } from "@drydock/core/rigs/any-usb-rig";
import { UsbipImporter } from "@drydock/core/transports/usbip/usbip-importer";
import { LoadedDext } from "@drydock/dext/host/dext-bundle";
import { DextImage } from "@drydock/dext/host/dext-image";
import { endOfDext, outcomesOf } from "@drydock/dext/run/dext-run";
import { hostTurn } from "@drydock/node/host-turn";
import { LiveRunner } from "@drydock/node/live-runner";
import { connectSocket } from "@drydock/node/socket-stream";
import { LiveTerminals, liveLog, type TerminalMade } from "./live-terminals.ts";
import { type ThreadTalk, threadIo } from "./thread-io.ts";
import type { UsbipAddress } from "./usbip-address.ts";

export interface LiveDextJob {
  readonly module: Uint8Array<ArrayBuffer>;
  readonly info: Properties;
  readonly entitlements: Properties;
  readonly seed: number;
  readonly noJspi: boolean;
  readonly server: UsbipAddress;
  readonly busId: string;
  readonly link: string | null;
  readonly json: boolean;
  readonly watch: Int32Array<SharedArrayBuffer>;
}

export type FromLiveDext =
  | ThreadTalk
  | { readonly kind: "functions"; readonly names: readonly (readonly [number, string])[] }
  | ({ readonly kind: "terminal" | "no-terminal" } & TerminalMade)
  | {
      readonly kind: "ended";
      readonly outcomes: readonly string[];
      readonly findings: readonly string[];
      readonly leaks: readonly string[];
      readonly uncounted: readonly string[];
    };

/** A server that comes back is asked again after so long. */
const retryNs = 2_000_000_000;
/** Between two signs of life: a dext that has nothing to do is no endless loop. */
const lifeMs = 250;
/** Virtual time for the driver to stop in, once its device is gone. */
const stoppingNs = 5_000_000_000;

async function work(port: MessagePort, job: LiveDextJob): Promise<void> {
  const send = (message: FromLiveDext): void => port.postMessage(message);
  const { busId, link, server, watch } = job;
  const io = threadIo(send);
  const dext = new LoadedDext(
    { image: new DextImage(job.module), info: job.info, entitlements: job.entitlements },
    { watch, tracesObjects: true, ...(job.noJspi ? { suspends: "threads" as const } : {}) },
  );
  send({ kind: "functions", names: dext.functionNames });
  const rig = new AnyUsbRig({
    seed: job.seed,
    turn: hostTurn,
    profile: platformProfile("open"),
    timing: "none",
    trace: false,
    drivers: "none",
  });
  const { machine } = rig;
  machine.install(dext.bundle);
  machine.onRegistered((service) => {
    if (service instanceof IOMedia) io.say("\n  disk      no command serves a dext's disk yet");
  });
  const terminals = new LiveTerminals(
    machine,
    {
      json: job.json,
      ...(link === null ? {} : { link }),
      onTerminal: (made, isThere) => send({ kind: isThere ? "terminal" : "no-terminal", ...made }),
    },
    io,
  );
  const runner = new LiveRunner(machine.scheduler);
  const importer = new UsbipImporter({
    clock: machine.scheduler,
    busId,
    retryNs,
    connect: () => connectSocket(server.host, server.port, machine.scheduler),
    onAttach: (usb) => {
      io.event(`drydock: ${busId} of ${server.text} is attached`);
      rig.usb.attach(usb);
    },
    onProblem: (reason) => io.event(`drydock: ${busId}: ${reason}; asked again in 2 s`),
  });
  port.once("message", () => {
    importer.stop();
    void runner.stop();
  });
  const life = setInterval(() => Atomics.add(watch, 1, 1), lifeMs);
  await runner.start(liveLog(machine, io, (row) => formatLogRow(row, "compact")));
  // The device has been given back: the driver stops, as after a pulled cable.
  importer.stop();
  if (machine.failure === null) await machine.run(machine.scheduler.nowNs() + stoppingNs);
  clearInterval(life);
  terminals.close();
  const outcomes = outcomesOf(dext, machine);
  const isStarted = outcomes.some((outcome) => outcome.endsWith(": started"));
  const { leaks, uncounted, wrong } = endOfDext(dext, machine, isStarted);
  send({ kind: "ended", outcomes, findings: wrong, leaks, uncounted });
  port.close();
}

if (parentPort === null) throw new Error("this is the script of a thread");
await work(parentPort, workerData as LiveDextJob);
