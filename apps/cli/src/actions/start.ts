// drydock start: a rig on the real clock, with its serial ports as pseudo-terminals.

import { createInterface } from "node:readline";
import type { ShownRig } from "@drydock/board-server/lab-desk";
import { nameWithUnknowns, platformProfile } from "@drydock/core/platform/platform-profile";
import type { RigEntry } from "@drydock/core/rigs/catalogue";
import { startedName } from "@drydock/lab/session/opened-names";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { endings } from "./endings.ts";
import { type LiveRigOptions, LiveRigRun } from "./live-rig.ts";
import { writeRecordings } from "./recording-files.ts";
import { defaultRig } from "./rig-list.ts";
import type { RigOptions } from "./rigs.ts";

interface StartOptions extends RigOptions {
  readonly link?: string;
  readonly noPacing: boolean;
  readonly for?: number;
  readonly json: boolean;
  readonly port?: number;
  readonly noOpen: boolean;
  readonly lab: readonly RigEntry[];
  readonly pair: boolean;
  readonly rfc2217?: number;
}

export async function start(given: StartOptions, io: CommandIo): Promise<ExitCode> {
  const options = given.pair ? paired(given) : given;
  // A rig that was named, or is read by a program, comes alone.
  if (options.rig !== undefined && options.lab.length > 0)
    throw new UsageError(
      "--lab shows rigs on the board, and a rig that is named comes up without one: leave its name out",
    );
  const isAlone = options.rig !== undefined || options.pair || options.json;
  const rig = isAlone ? await alone(options, io) : await beside(options, io);
  const board = isAlone ? null : await (await import("./board.ts")).beginBoard(options, io);
  if (!isAlone && board === null) {
    rig.stop();
    await rig.run();
    return exitCodes.rigError;
  }
  if (rig.thread !== null) board?.open.site.desk.offer(startedName, rig.thread);
  let code: ExitCode = exitCodes.pass as ExitCode;
  const ending = endings(options.for, (how) => {
    code = exitCodes[how];
    rig.stop();
  });

  io.say(
    `drydock: ${options.pair ? "two ports and a null modem" : `rig "${(options.rig ?? defaultRig).name}"`}, seed ${options.seed}, platform ${nameWithUnknowns(platformProfile(options.platform))}`,
  );
  io.say("  u Enter pulls the cable, p Enter plugs it in, r Enter prints the registry, Ctrl-C ends");
  io.say(
    options.pair
      ? "  what you type into one terminal comes out of the other"
      : "  what you type into a terminal comes back through the device",
  );
  const input =
    process.stdin.isTTY || process.stdin.readable ? createInterface({ input: process.stdin }) : null;
  input?.on("line", (line) => rig.command(line.trim()));

  const { failure, isWell, nowNs } = await rig.run();
  ending.disarm();
  input?.close();
  process.stdin.destroy();
  await board?.close();
  if (failure !== "") io.event(`drydock: ${failure}`);
  if (!isWell) code = exitCodes.rigError;
  io.say(
    `drydock: ${code === exitCodes.interrupted ? "interrupted" : "ended"} after ${(nowNs / 1e9).toFixed(1)} s`,
  );
  return code;
}

/** A rig that runs, wherever it does. */
interface Running {
  /** Null: it has this process to itself. */
  readonly thread: ShownRig | null;
  command(line: string): void;
  stop(): void;
  run(): Promise<{ readonly isWell: boolean; readonly failure: string; readonly nowNs: number }>;
}

const plainOf = (options: StartOptions, isWatched: boolean): LiveRigOptions => {
  const { device, fault, json, link, noPacing, pair, pcap, perfetto, platform, rfc2217, seed } = options;
  return {
    ...{ device, fault, json, noPacing, pair, platform, seed },
    ...(link === undefined ? {} : { link }),
    ...(rfc2217 === undefined ? {} : { rfc2217 }),
    isPcapWanted: pcap !== undefined,
    isPerfettoWanted: perfetto !== undefined,
    isWatched,
  };
};

/** In a thread, so that neither it nor the board holds up the other. It comes up while the board does. */
async function beside(options: StartOptions, io: CommandIo): Promise<Running> {
  const { StartedRig } = await import("./started-rig.ts");
  const rig = new StartedRig(plainOf(options, true), options, io);
  return {
    thread: rig.thread,
    command: (line) => rig.command(line),
    stop: () => rig.stop(),
    run: () => {
      rig.listen();
      return rig.ended;
    },
  };
}

async function alone(options: StartOptions, io: CommandIo): Promise<Running> {
  const { rig: entry } = options;
  const plain = plainOf(options, false);
  const run = await LiveRigRun.make({ ...plain, ...(entry === undefined ? {} : { rig: entry }) }, io);
  return {
    thread: null,
    command: (line) => run.command(line),
    stop: () => run.stop(),
    run: async () => {
      const isWell = await run.run();
      writeRecordings({ timeline: run.rig.timeline, trace: run.rig.usb.trace }, options, io);
      return { isWell, failure: run.failureText, nowNs: run.nowNs };
    },
  };
}

/** Two FT232R, or the two devices that were named. */
function paired(options: StartOptions): StartOptions {
  const { device } = options;
  if (options.rig !== undefined) throw new UsageError("--pair makes its own rig: leave the rig's name out");
  if (device.length !== 0 && device.length !== 2)
    throw new UsageError(`--pair joins two devices, not ${device.length}: name two with --device, or none`);
  return { ...options, device: device.length === 2 ? device : ["ftdi", "ftdi"] };
}
