// drydock start: a rig on the real clock, with its serial ports as pseudo-terminals.

import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { IOSerialBSDClient } from "@drydock/core/families/serial/io-serial-bsd-client";
import { TerminalOutlet } from "@drydock/core/outlets/serial/terminal-outlet";
import { formatLogRow } from "@drydock/core/runtime/log-text";
import { LiveRunner } from "@drydock/node/live-runner";
import { openPty, type Pty } from "@drydock/node/pty";
import { exitCodes } from "./exit-codes.ts";
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
  if (options.for !== undefined && !(options.for > 0))
    throw new RangeError("--for takes a number of seconds above 0");
  const rig = buildRig(name, options, {
    pacing: options.pacing ? "baud" : "none",
    timing: options.pacing ? "bus" : "none",
    // A rig that runs for days keeps a trace only when somebody wants it.
    trace: options.pcap !== undefined,
  });
  const { machine } = rig;
  const runner = new LiveRunner(machine.scheduler);
  const terminals = new Map<IOSerialBSDClient, Pty>();
  const numbers = new Map<string, number>();
  const talk = (text: string) => process.stderr.write(`${text}\n`);
  let announced = false;

  machine.onRegistered((service) => {
    if (!(service instanceof IOSerialBSDClient)) return;
    // A device that comes back gets its old name back.
    const number = numbers.get(service.name) ?? numbers.size;
    numbers.set(service.name, number);
    const base = options.link ?? join(tmpdir(), "drydock-tty");
    const pty = openPty({
      link: options.link === undefined ? `${base}${number}` : `${base}${number === 0 ? "" : number}`,
    });
    terminals.set(service, pty);
    new TerminalOutlet(service, pty, (text) => talk(`  ${text}`));
    talk(
      `\n  port      ${service.name}\n  terminal  ${pty.name}${pty.name === pty.path ? "" : `  (${pty.path})`}`,
    );
    talk(`  try       picocom -b 115200 ${pty.name}      what you type comes back through the device`);
    if (options.json === true && !announced) {
      announced = true;
      process.stdout.write(
        `${JSON.stringify({ ports: [{ name: service.name, terminal: pty.path, link: pty.name }] })}\n`,
      );
    }
  });
  machine.onGone((service) => {
    if (service instanceof IOSerialBSDClient) terminals.get(service)?.hangUp();
  });

  talk(`drydock: rig "${name ?? "serial"}", seed ${options.seed}, platform ${machine.profile.name}`);
  talk("  u Enter pulls the cable, p Enter plugs it in, r Enter prints the registry, Ctrl-C ends");
  let shown = 0;
  const showLog = () => {
    const rows = machine.log.show({ info: true });
    for (const row of rows.slice(shown)) talk(`  ${formatLogRow(row, "compact")}`);
    shown = rows.length;
  };

  const input =
    process.stdin.isTTY || process.stdin.readable ? createInterface({ input: process.stdin }) : null;
  input?.on("line", (line) => command(line.trim()));
  const command = (line: string) => {
    if (line === "u") rig.bus.unplug(1);
    else if (line === "p" && !rig.bus.isOccupied(1)) rig.bus.plugIn(rig.devices[0], 1);
    else if (line === "r") for (const entry of machine.registry.entries()) talk(`  ${entry.path}`);
    else if (line !== "") talk("  u: unplug, p: plug in, r: registry, Ctrl-C: end");
    machine.scheduler.ready(() => {}, undefined);
  };

  let code: number = exitCodes.pass;
  const stop = (exitCode: number) => {
    code = exitCode;
    void runner.stop();
  };
  const interrupt = () => stop(exitCodes.interrupted);
  process.once("SIGINT", interrupt);
  process.once("SIGTERM", interrupt);
  const ending =
    options.for === undefined ? null : setTimeout(() => stop(exitCodes.pass), options.for * 1000);
  const appearing = setTimeout(() => {
    if (terminals.size > 0) return;
    talk(`drydock: no port came up in ${appearanceMs / 1000} s. What was judged:`);
    for (const report of machine.matchReports)
      talk(`  ${report.candidate.personalityName} on ${report.nub}: ${report.outcome}`);
    for (const failure of rig.family.failures) talk(`  ${failure.reason}`);
    stop(exitCodes.rigError);
  }, appearanceMs);

  await runner.start(showLog);
  clearTimeout(appearing);
  if (ending !== null) clearTimeout(ending);
  input?.close();
  process.stdin.destroy();
  for (const pty of terminals.values()) pty.hangUp();
  writePcap(rig.trace, options.pcap);
  if (machine.failure !== null) {
    talk(`drydock: ${machine.failure.kind}: ${machine.failure.text}`);
    code = exitCodes.rigError;
  }
  talk(
    `drydock: ${code === exitCodes.interrupted ? "interrupted" : "ended"} after ${(machine.scheduler.nowNs() / 1e9).toFixed(1)} s`,
  );
  process.exitCode = code;
}
