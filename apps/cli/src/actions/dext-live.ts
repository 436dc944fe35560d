// A dext on a device of a USB/IP server: its ports are terminals, until Ctrl-C.

import { Worker } from "node:worker_threads";
import { shown } from "@drydock/core/base/shown-text";
import { removeTerminalLink } from "@drydock/node/terminal-link";
import { holdUntilEnd } from "../grammar/held-claims.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { buildForCommand, type DextPathOptions, sayBuild } from "./dext-build.ts";
import type { FromLiveDext, LiveDextJob } from "./dext-live-thread.ts";
import { watchedNames, watchForLoops } from "./dext-worker.ts";
import { endings } from "./endings.ts";
import type { TerminalMade } from "./live-terminals.ts";
import { askUsbipServer, type UsbipAddress } from "./usbip-address.ts";

export interface LiveDextOptions extends DextPathOptions {
  readonly server: UsbipAddress;
  readonly busId: string;
  readonly link?: string;
  readonly seed: number;
  readonly noJspi: boolean;
  /** Real seconds; left out: until Ctrl-C. */
  readonly for?: number;
  /** Real seconds, see `watchForLoops`. */
  readonly patience: number;
  readonly json: boolean;
}

type Ended = Extract<FromLiveDext, { readonly kind: "ended" }>;

/** UsageError when the server has no such device; 3 when it cannot be asked or nothing compiles here. */
export async function runDextLive(options: LiveDextOptions, io: CommandIo): Promise<ExitCode> {
  const { busId, server } = options;
  const devices = await askUsbipServer(server);
  if (!devices.some(({ device }) => device.busId === busId)) {
    const there = devices.map(({ device }) => shown(device.busId)).join(", ");
    throw new UsageError(`${server.text} has no ${busId}; it offers: ${there === "" ? "nothing" : there}`);
  }
  const built = await buildForCommand(options, io, false);
  if (built === null) return exitCodes.rigError;
  const { build, sources } = built;
  if (build.module === null) {
    sayBuild(built, io);
    return exitCodes.finding;
  }
  const watch = new Int32Array(new SharedArrayBuffer(8));
  const job: LiveDextJob = {
    module: build.module,
    info: sources.info,
    entitlements: sources.entitlements,
    seed: options.seed,
    noJspi: options.noJspi,
    server,
    busId,
    link: options.link ?? null,
    json: options.json,
    watch,
  };
  const { code, end } = await runThread(job, options, io);
  if (typeof end === "string") {
    io.print(`${end}\n`);
    return exitCodes.finding;
  }
  for (const outcome of end.outcomes) io.event(outcome);
  if (end.outcomes.length === 0) io.say("no personality was judged: none of them asks for this device");
  for (const finding of end.findings) io.event(`finding: ${finding}`);
  for (const leak of end.leaks) io.event(`leak: ${leak}`);
  for (const line of end.uncounted) io.event(line);
  const isGood =
    end.outcomes.some((outcome) => outcome.endsWith(": started")) &&
    end.findings.length === 0 &&
    end.leaks.length === 0;
  return isGood ? code : exitCodes.finding;
}

/** A sentence instead of an end: the thread was ended, and why. */
function runThread(
  job: LiveDextJob,
  { for: seconds, patience }: LiveDextOptions,
  io: CommandIo,
): Promise<{ readonly code: ExitCode; readonly end: Ended | string }> {
  const names = watchedNames();
  const terminals = new Map<string, TerminalMade>();
  const letGo = (): void => {
    for (const { link, path } of terminals.values()) if (link !== null) removeTerminalLink(link, path);
    terminals.clear();
  };
  holdUntilEnd(letGo);
  const worker = new Worker(new URL("./dext-live-thread.ts", import.meta.url), {
    workerData: job,
    // Its terminals are closed by their numbers.
    trackUnmanagedFds: false,
  });
  return new Promise((resolve) => {
    let code: ExitCode = exitCodes.pass;
    const ending = endings(seconds, (how) => {
      code = exitCodes[how];
      worker.postMessage("stop");
    });
    const unwatch = watchForLoops(job.watch, names, patience, (text) => finish(text));
    const finish = (end: Ended | string): void => {
      unwatch();
      ending.disarm();
      letGo();
      void worker.terminate();
      resolve({ code, end });
    };
    worker.on("message", (message: FromLiveDext) => {
      if (message.kind === "say") io.say(message.text);
      else if (message.kind === "event") io.event(message.text);
      else if (message.kind === "document") io.document(message.value, "line");
      else if (message.kind === "functions")
        for (const [index, name] of message.names) names.set(index, name);
      else if (message.kind === "terminal") terminals.set(message.path, message);
      else if (message.kind === "no-terminal") terminals.delete(message.path);
      else if (message.kind === "ended") finish(message);
    });
    worker.once("error", (error: unknown) => finish(error instanceof Error ? error.message : String(error)));
    worker.once("exit", (status) => finish(`the dext's thread ended with ${status}`));
  });
}
