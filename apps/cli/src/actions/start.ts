// drydock start: a rig on the real clock, with its serial ports as pseudo-terminals.

import { createInterface } from "node:readline";
import { formatLogRow } from "@drydock/core/platform/log-text";
import type { RigEntry } from "@drydock/core/rigs/catalogue";
import { LiveRunner } from "@drydock/node/live-runner";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { endings } from "./endings.ts";
import { LiveRfc2217 } from "./live-rfc2217.ts";
import { LiveTerminals, liveLog } from "./live-terminals.ts";
import { recordingFor, writeRecordings } from "./recording-files.ts";
import { defaultRig } from "./rig-list.ts";
import { buildLiveRig, type RigOptions } from "./rigs.ts";

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

/** How long the first port may take to appear before that is an error. */
const appearanceMs = 10_000;

export async function start(given: StartOptions, io: CommandIo): Promise<ExitCode> {
  const options = given.pair ? paired(given) : given;
  // A rig that was named, or is read by a program, comes alone.
  if (options.rig !== undefined && options.lab.length > 0)
    throw new UsageError(
      "--lab shows rigs on the board, and a rig that is named comes up without one: leave its name out",
    );
  const isAlone = options.rig !== undefined || options.pair || options.json;
  const board = isAlone ? null : await (await import("./board.ts")).beginBoard(options, io);
  if (!isAlone && board === null) return exitCodes.rigError;
  const rig = buildLiveRig(options, {
    ...(options.pair ? { cable: "null-modem" } : {}),
    pacing: options.noPacing ? "none" : "baud",
    timing: options.noPacing ? "none" : "bus",
    // A rig that runs for days keeps a trace only when somebody wants it: the board shows its newest rows in the lab.
    ...recordingFor(options),
    ...(board === null ? {} : { trace: true }),
  });
  const { machine } = rig;
  const runner = new LiveRunner(machine.scheduler);
  let code: ExitCode = exitCodes.pass as ExitCode;
  const ending = endings(options.for, (how) => {
    code = exitCodes[how];
    void runner.stop();
  });
  const network =
    options.rfc2217 === undefined ? null : await LiveRfc2217.start(options.rfc2217, machine.scheduler, io);
  const { link, json } = options;
  const expected = options.pair ? 2 : 1;
  const terminals = new LiveTerminals(
    machine,
    { json, expected, network, ...(link === undefined ? {} : { link }) },
    io,
  );

  io.say(
    `drydock: ${options.pair ? "two ports and a null modem" : `rig "${(options.rig ?? defaultRig).name}"`}, seed ${options.seed}, platform ${machine.profile.name}`,
  );
  io.say("  u Enter pulls the cable, p Enter plugs it in, r Enter prints the registry, Ctrl-C ends");
  io.say(
    options.pair
      ? "  what you type into one terminal comes out of the other"
      : "  what you type into a terminal comes back through the device",
  );

  const input =
    process.stdin.isTTY || process.stdin.readable ? createInterface({ input: process.stdin }) : null;
  input?.on("line", (line) => command(line.trim()));
  const command = (line: string) => {
    if (line === "u") rig.unplug(1);
    else if (line === "p") rig.plug(1);
    else if (line === "r") for (const entry of machine.registry.entries()) io.event(`  ${entry.path}`);
    else if (line !== "") io.say("  u: unplug, p: plug in, r: registry, Ctrl-C: end");
    machine.scheduler.ready(() => {}, undefined);
  };

  if (board !== null) board.open.site.desk.show((await import("./watched-rig.ts")).watchedRig(rig, options));

  const appearing = setTimeout(() => {
    if (terminals.count > 0) return;
    io.say(`drydock: no port came up in ${appearanceMs / 1000} s. What was judged:`);
    for (const report of machine.matchReports)
      io.event(`  ${report.candidate.personalityName} on ${report.nub}: ${report.outcome}`);
    for (const failure of rig.failures()) io.event(`  ${failure}`);
    code = exitCodes.rigError;
    void runner.stop();
  }, appearanceMs);

  await runner.start(liveLog(machine, io, (row) => formatLogRow(row, "compact")));
  clearTimeout(appearing);
  ending.disarm();
  input?.close();
  process.stdin.destroy();
  terminals.close();
  await network?.close();
  await board?.close();
  writeRecordings({ timeline: rig.timeline, trace: rig.usb.trace }, options, io);
  if (machine.failure !== null) {
    io.event(`drydock: ${machine.failure.kind}: ${machine.failure.text}`);
    code = exitCodes.rigError;
  }
  io.say(
    `drydock: ${code === exitCodes.interrupted ? "interrupted" : "ended"} after ${(machine.scheduler.nowNs() / 1e9).toFixed(1)} s`,
  );
  return code;
}

/** Two FT232R, or the two devices that were named. */
function paired(options: StartOptions): StartOptions {
  const { device } = options;
  if (options.rig !== undefined) throw new UsageError("--pair makes its own rig: leave the rig's name out");
  if (device.length !== 0 && device.length !== 2)
    throw new UsageError(`--pair joins two devices, not ${device.length}: name two with --device, or none`);
  return { ...options, device: device.length === 2 ? device : ["ftdi", "ftdi"] };
}
