// A rig on the real clock with its terminals, from the first port to the last word: in this process, or in a thread.

import { formatLogRow } from "@drydock/core/platform/log-text";
import { LiveRunner } from "@drydock/node/live-runner";
import type { CommandIo } from "../terminal/command-io.ts";
import { LiveRfc2217 } from "./live-rfc2217.ts";
import { LiveTerminals, liveLog, type TerminalMade } from "./live-terminals.ts";
import { recordingFor } from "./recording-files.ts";
import { buildLiveRig, type LiveRig, type RigOptions } from "./rigs.ts";

/** Plain values, but for `rig`: a thread is handed all others. */
export interface LiveRigOptions extends Pick<RigOptions, "rig" | "seed" | "fault" | "device" | "platform"> {
  readonly pair: boolean;
  readonly noPacing: boolean;
  readonly link?: string;
  readonly rfc2217?: number;
  readonly json: boolean;
  readonly isPcapWanted: boolean;
  readonly isPerfettoWanted: boolean;
  /** Somebody may look at its rows: a board that shows it in the lab. */
  readonly isWatched: boolean;
}

/** How long the first port may take to appear before that is an error. */
const appearanceMs = 10_000;

export class LiveRigRun {
  readonly rig: LiveRig;
  readonly #io: CommandIo;
  readonly #runner: LiveRunner;
  readonly #terminals: LiveTerminals;
  readonly #network: LiveRfc2217 | null;
  #isAbsent = false;

  private constructor(
    rig: LiveRig,
    runner: LiveRunner,
    parts: { readonly terminals: LiveTerminals; readonly network: LiveRfc2217 | null },
    io: CommandIo,
  ) {
    this.rig = rig;
    this.#runner = runner;
    this.#terminals = parts.terminals;
    this.#network = parts.network;
    this.#io = io;
  }

  /** Nothing runs yet. Rejects when a port of the network cannot be had. `onTerminal`: told of each that is made, and of each that is let go. */
  static async make(
    options: LiveRigOptions,
    io: CommandIo,
    onTerminal: (made: TerminalMade, isThere: boolean) => void = () => {},
  ): Promise<LiveRigRun> {
    const { isPcapWanted, isPerfettoWanted, json, link, noPacing, pair } = options;
    const rig = buildLiveRig(options, {
      ...(pair ? { cable: "null-modem" } : {}),
      pacing: noPacing ? "none" : "baud",
      timing: noPacing ? "none" : "bus",
      // A rig that runs for days keeps a trace only when somebody wants it: the board shows its newest rows in the lab.
      ...recordingFor({ pcap: isPcapWanted || undefined, perfetto: isPerfettoWanted || undefined }),
      ...(options.isWatched ? { trace: true } : {}),
    });
    const { machine } = rig;
    const runner = new LiveRunner(machine.scheduler);
    const network =
      options.rfc2217 === undefined ? null : await LiveRfc2217.start(options.rfc2217, machine.scheduler, io);
    const expected = pair ? 2 : 1;
    const terminals = new LiveTerminals(
      machine,
      { json, expected, network, onTerminal, ...(link === undefined ? {} : { link }) },
      io,
    );
    return new LiveRigRun(rig, runner, { terminals, network }, io);
  }

  /** A line that somebody typed. */
  command(line: string): void {
    const { machine } = this.rig;
    if (line === "u") this.rig.unplug(1);
    else if (line === "p") this.rig.plug(1);
    else if (line === "r") for (const entry of machine.registry.entries()) this.#io.event(`  ${entry.path}`);
    else if (line !== "") this.#io.say("  u: unplug, p: plug in, r: registry, Ctrl-C: end");
    machine.scheduler.ready(() => {}, undefined);
  }

  stop(): void {
    void this.#runner.stop();
  }

  /** Until it is stopped, or stops by itself. True: as it should be. */
  async run(): Promise<boolean> {
    const { machine } = this.rig;
    const appearing = setTimeout(() => this.#lookForPorts(), appearanceMs);
    await this.#runner.start(liveLog(machine, this.#io, (row) => formatLogRow(row, "compact")));
    clearTimeout(appearing);
    this.#terminals.close();
    await this.#network?.close();
    return machine.failure === null && !this.#isAbsent;
  }

  #lookForPorts(): void {
    if (this.#terminals.count > 0) return;
    const { machine } = this.rig;
    this.#io.say(`drydock: no port came up in ${appearanceMs / 1000} s. What was judged:`);
    for (const report of machine.matchReports)
      this.#io.event(`  ${report.candidate.personalityName} on ${report.nub}: ${report.outcome}`);
    for (const failure of this.rig.failures()) this.#io.event(`  ${failure}`);
    this.#isAbsent = true;
    void this.#runner.stop();
  }

  get failureText(): string {
    const { failure } = this.rig.machine;
    return failure === null ? "" : `${failure.kind}: ${failure.text}`;
  }

  get nowNs(): number {
    return this.rig.machine.scheduler.nowNs();
  }
}
