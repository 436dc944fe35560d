// drydock start: a rig on the real clock, with its serial ports as pseudo-terminals.

import { createInterface } from "node:readline";
import { formatLogRow } from "@drydock/core/platform/log-text";
import { LiveRunner } from "@drydock/node/live-runner";
import { exitCodes } from "./exit-codes.ts";
import { endings, LiveTerminals, liveLog, talk } from "./live-terminals.ts";
import { writePcap } from "./pcap-file.ts";
import { buildRig, type RigOptions } from "./rigs.ts";

interface StartOptions extends RigOptions {
  readonly link?: string;
  readonly pacing: boolean;
  readonly for?: number;
  readonly json?: boolean;
}

/** How long the first port may take to appear before that is an error. */
const appearanceMs = 10_000;

export async function start(name: string | undefined, options: StartOptions): Promise<void> {
  const rig = buildRig(name, options, {
    pacing: options.pacing ? "baud" : "none",
    timing: options.pacing ? "bus" : "none",
    // A rig that runs for days keeps a trace only when somebody wants it.
    trace: options.pcap !== undefined,
  });
  const { machine } = rig;
  const runner = new LiveRunner(machine.scheduler);
  let code: number = exitCodes.pass;
  const ending = endings(options.for, (how) => {
    code = exitCodes[how];
    void runner.stop();
  });
  const terminals = new LiveTerminals(machine, options);

  talk(`drydock: rig "${name ?? "serial"}", seed ${options.seed}, platform ${machine.profile.name}`);
  talk("  u Enter pulls the cable, p Enter plugs it in, r Enter prints the registry, Ctrl-C ends");
  talk("  what you type into a terminal comes back through the device");

  const input =
    process.stdin.isTTY || process.stdin.readable ? createInterface({ input: process.stdin }) : null;
  input?.on("line", (line) => command(line.trim()));
  const command = (line: string) => {
    if (line === "u") rig.usb.bus.unplug(1);
    else if (line === "p" && !rig.usb.bus.isOccupied(1)) rig.usb.bus.plugIn(rig.devices[0], 1);
    else if (line === "r") for (const entry of machine.registry.entries()) talk(`  ${entry.path}`);
    else if (line !== "") talk("  u: unplug, p: plug in, r: registry, Ctrl-C: end");
    machine.scheduler.ready(() => {}, undefined);
  };

  const appearing = setTimeout(() => {
    if (terminals.count > 0) return;
    talk(`drydock: no port came up in ${appearanceMs / 1000} s. What was judged:`);
    for (const report of machine.matchReports)
      talk(`  ${report.candidate.personalityName} on ${report.nub}: ${report.outcome}`);
    for (const failure of rig.family.failures) talk(`  ${failure.reason}`);
    code = exitCodes.rigError;
    void runner.stop();
  }, appearanceMs);

  await runner.start(liveLog(machine, (row) => formatLogRow(row, "compact")));
  clearTimeout(appearing);
  ending.disarm();
  input?.close();
  process.stdin.destroy();
  terminals.close();
  writePcap(rig.usb.trace, options.pcap);
  if (machine.failure !== null) {
    talk(`drydock: ${machine.failure.kind}: ${machine.failure.text}`);
    code = exitCodes.rigError;
  }
  talk(
    `drydock: ${code === exitCodes.interrupted ? "interrupted" : "ended"} after ${(machine.scheduler.nowNs() / 1e9).toFixed(1)} s`,
  );
  process.exitCode = code;
}
