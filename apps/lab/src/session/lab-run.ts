// A rig that is looked at: stepped, touched, remembered act by act, drawn as boxes.

import type { DmaStory } from "@drydock/cases/driver-case";
import type { DescribeRequest } from "@drydock/core/codec/usb/setup";
import type { UsbFaultRule } from "@drydock/core/faults/usb-faults";
import { parseUsbFaultRule } from "@drydock/core/faults/usb-faults";
import type { EvidenceFile } from "@drydock/core/platform/evidence/evidence-file";
import type { BundleFile } from "@drydock/core/platform/evidence/signed-bundle";
import type { SerialClient } from "@drydock/core/ports/serial";
import { defaultLineSettings } from "@drydock/core/ports/serial";
import type { BuiltRig, RigEntry } from "@drydock/core/rigs/rig-entry";
import type { HostTurn } from "@drydock/core/runtime/scheduler";
import type { Timeline } from "@drydock/core/trace/timeline";
import type { FlushStory } from "@drydock/core/trials/durability-prover";
import { actLine, wholeOf } from "./acts.ts";
import type { DoneAct, HandAct } from "./done-act.ts";
import type { Opening, RigBox } from "./messages.ts";
import { campaignPrefix, deviceName, isCampaignRun } from "./opened-names.ts";
import { boxesOf } from "./rig-boxes.ts";
import type { MakeHands, RigHands } from "./rig-hands.ts";

/** Rows of a rig that runs for days: some two million of them, then the oldest go and are counted. */
const timelineBytes = 192 << 20;
const consoleCharacters = 20_000;
const consoleBaud = 115_200;
/** How long a power cut lasts, and a press, virtual nanoseconds. */
const darkNs = 500_000_000;
const pressNs = 50_000_000;
const breakNs = 250_000_000;
const mostBlocks = 4096;
const mostFrames = 4096;
const noPort = "no port is open: open it first";
/** Where it stood after a row came; the oldest of these go first, and are found again by running again. */
const mostStops = 65_536;

/** What an act is said to have done; empty when the page shows it. */
export function saidOf(name: HandAct, value: string): string {
  switch (name) {
    case "unplug":
      return `The cable of device ${value} is pulled.`;
    case "plug":
      return `Device ${value} is plugged in.`;
    case "sleep":
      return "The system goes to sleep.";
    case "wake":
      return "The system wakes.";
    case "power-cut":
      return `Device ${value} has no power; in half a second of its time it has it again.`;
    default:
      return "";
  }
}

/** What is looked at, whatever it is. */
export interface LabRun {
  readonly opening: Opening;
  readonly title: string;
  readonly timeline: Timeline;
  readonly describeRequests: readonly DescribeRequest[];
  /** What a case left of its IOMMU; absent where there is none, and of a rig, which has it itself. */
  readonly dma?: DmaStory;
}

/** A case's side, or a run of a campaign, that has run to its end. */
export interface EndedRun extends LabRun {
  readonly result: { readonly succeeded: boolean; readonly text: string };
  readonly digest: string;
  readonly ledger: FlushStory | null;
  readonly unplugSteps: number;
  /** Causes of its symptom that can be chosen as the fault of the opening; empty of every other case. */
  readonly causes: readonly string[];
  /** Files that the run left: a panic report, an opcode log, a signed bundle. */
  readonly evidence: readonly (EvidenceFile | BundleFile)[];
}

/** The line of a shell that makes the same run: every act by hand at its step and moment. */
export function commandOf(run: RigRun): string {
  const { faults, seed, what } = run.opening;
  if (what === deviceName) return "";
  const words = [
    ...faults.flatMap((rule) => ["--fault", rule]),
    ...scriptOf(run).flatMap((line) => ["--act", line]),
  ];
  return `npx drydock lab ${what} --seed ${seed}${words.map((word) => ` ${quoted(word)}`).join("")}`;
}

/** Acts as lines, from the beginning to where it stands. */
export function scriptOf({ acts, rig }: RigRun): string[] {
  const { scheduler } = rig.machine;
  const moment = (timeNs: number, steps: number): string => `run-to ${(timeNs / 1e9).toFixed(9)}@${steps}`;
  const lines: string[] = [];
  let at = "";
  const goTo = (timeNs: number, steps: number): void => {
    const next = moment(timeNs, steps);
    if (steps > 0 && next !== at) lines.push(next);
    at = next;
  };
  for (const { name, steps, timeNs, value } of acts) {
    goTo(timeNs, steps);
    lines.push(actLine(name, value));
  }
  goTo(scheduler.nowNs(), scheduler.steps);
  return lines;
}

/** The line that plays the same side of a case, or the same run of a campaign, again. */
export function endedCommandOf({ faults, seed, side, unplugAt = 0, what }: Opening): string {
  if (isCampaignRun(what))
    return `npx drydock campaign run ${what.slice(campaignPrefix.length)} --seed ${seed}${faults.map((fault) => ` --strike ${quoted(fault)}`).join("")}`;
  // One of its causes is what a link says alone.
  if (faults.length > 0 && side === "bad")
    return `npx drydock lab '#/trace/${what}?seed=${seed}&side=${side}&fault=${encodeURIComponent(faults[0])}'`;
  const cable = unplugAt === 0 ? "" : ` --act "unplug-at ${unplugAt}"`;
  return `npx drydock lab ${what} --side ${side} --seed ${seed}${cable}`;
}

const quoted = (word: string): string =>
  /^[\w.:=,@-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

export class RigRun implements LabRun, SerialClient {
  readonly opening: Opening;
  readonly entry: RigEntry;
  readonly rig: BuiltRig;
  readonly acts: DoneAct[] = [];
  /** Steps at which a row had come, newest last. */
  readonly stops: number[] = [];
  /** The newest part of what came out of the port, and how many characters came in all. */
  console = "";
  consoleLength = 0;
  isConsoleOpen = false;
  modemLines = { dtr: false, rts: false };
  /** Told what an act has led to, when that is later. */
  onSaid: (text: string) => void = () => {};
  readonly #hands: RigHands | null;
  #seenNext = 1;
  #toSend: number[] = [];
  readonly #read = new Uint8Array(1024);
  readonly #decoder = new TextDecoder();

  /** `hands`: null where no rig has what they are for. Throws RangeError for a fault or a seed that does not exist. */
  constructor(
    entry: RigEntry,
    opening: Opening,
    turn: HostTurn,
    hands: MakeHands | null,
    keptBytes = timelineBytes,
  ) {
    const rules: UsbFaultRule[] = opening.faults.map(parseUsbFaultRule);
    this.opening = opening;
    this.entry = entry;
    this.rig = entry.build({
      seed: opening.seed,
      turn,
      timelineBytes: keptBytes,
      ...(rules.length === 0 ? {} : { faults: { rules } }),
    });
    this.#hands = hands?.(this.rig, (text) => this.onSaid(text)) ?? null;
  }

  get title(): string {
    return `${this.entry.name}: ${this.entry.summary}`;
  }

  get timeline(): Timeline {
    return this.rig.timeline;
  }

  get describeRequests(): readonly DescribeRequest[] {
    return this.rig.usb?.describeRequests ?? [];
  }

  /** Asked after each step of the scheduler: keeps where rows came. */
  note(): void {
    const { next } = this.rig.timeline;
    if (next === this.#seenNext) return;
    this.#seenNext = next;
    this.stops.push(this.rig.machine.scheduler.steps);
    if (this.stops.length > mostStops) this.stops.splice(0, mostStops / 2);
  }

  /** Does it now and remembers it. Answers why not; empty when done. Throws RangeError for a value that is none. */
  perform(name: DoneAct["name"], value: string): string {
    const refusal = this.#do(name, value);
    const { scheduler } = this.rig.machine;
    if (refusal === "") this.acts.push({ steps: scheduler.steps, timeNs: scheduler.nowNs(), name, value });
    return refusal;
  }

  #do(name: DoneAct["name"], value: string): string {
    switch (name) {
      case "unplug": {
        const connector = wholeOf(value, "connector", 1, this.entry.devices.length);
        return this.rig.unplug(connector) ? "" : `connector ${connector} is empty`;
      }
      case "plug": {
        const connector = wholeOf(value, "connector", 1, this.entry.devices.length);
        return this.rig.plug(connector) ? "" : `connector ${connector} is taken`;
      }
      case "power-cut": {
        const connector = wholeOf(value, "connector", 1, this.entry.devices.length);
        // The cable carries the power, and comes back by itself.
        if (!this.rig.unplug(connector)) return `connector ${connector} is empty: nothing there has power`;
        this.rig.machine.scheduler.after(darkNs, () => void this.rig.plug(connector), undefined);
        return "";
      }
      case "break":
        if (!this.isConsoleOpen) return noPort;
        this.#port?.setBreak(true);
        this.rig.machine.scheduler.after(breakNs, () => this.#port?.setBreak(false), undefined);
        return "";
      case "modem-lines":
        return this.#setLines(value.toLowerCase().split(/[\s,]+/));
      case "write":
        return this.#hands?.disk(name, wholeOf(value, "count of blocks", 1, mostBlocks)) ?? "no disk here";
      case "flush":
      case "read-back":
        return this.#hands?.disk(name, 0) ?? "no disk here";
      case "press":
        return this.#press(value);
      case "send-frames":
        return this.#hands?.network(wholeOf(value, "count of frames", 1, mostFrames)) ?? "no network here";
      case "sleep":
      case "wake":
        this.rig.machine.setSystemPower(name);
        return "";
      case "open-console":
        return this.#open();
      case "type":
        if (!this.isConsoleOpen) return noPort;
        this.#toSend.push(...new TextEncoder().encode(value));
        this.#pump();
        return "";
    }
  }

  /** "3": of the first input that is there; "2:3": of the one in connector 2. */
  #press(value: string): string {
    const { rig } = this;
    const [where, what] = value.includes(":") ? value.split(":", 2) : ["", value];
    const button = wholeOf(what, "key or button", 1, 100);
    const first = this.entry.devices.findIndex((_device, index) => this.isOccupied(index + 1)) + 1;
    const connector = where === "" ? first : wholeOf(where, "connector", 1, this.entry.devices.length);
    if (rig.inputCount === 0) return "no input has come up yet: let time go on";
    if (connector > 0 && !this.isOccupied(connector)) return `connector ${connector} is empty`;
    if (connector === 0 || !rig.press(connector, button, true)) return "there is nothing to press";
    rig.machine.scheduler.after(pressNs, () => void rig.press(connector, button, false), undefined);
    return "";
  }

  /** What became of flushes; null where there is no disk, or no flush yet. */
  ledger(): FlushStory | null {
    const ledgers = this.rig.media.map(({ ledger }) => ledger);
    const lines = ledgers.flatMap((ledger) => ledger.lines());
    if (lines.length === 0) return null;
    return { lines, guilty: ledgers.find(({ guilty }) => guilty !== null)?.guilty ?? null };
  }

  #setLines(names: readonly string[]): string {
    if (names.some((name) => !["dtr", "rts", "none"].includes(name)))
      throw new RangeError('lines are "dtr", "rts", both with a space between, or "none"');
    if (!this.isConsoleOpen) return noPort;
    this.modemLines = { dtr: names.includes("dtr"), rts: names.includes("rts") };
    this.#port?.setModemControl(this.modemLines.dtr, this.modemLines.rts);
    return "";
  }

  get #port() {
    return this.rig.ports.findLast((port) => port.isOpen) ?? this.rig.ports.at(-1);
  }

  #open(): string {
    const port = this.#port;
    if (port === undefined) return "no serial port has come up yet: let time go on";
    const refusal = port.open(this);
    if (refusal !== null) return refusal;
    port.configure({ ...defaultLineSettings, baudRate: consoleBaud });
    this.modemLines = { dtr: true, rts: true };
    port.setModemControl(true, true);
    this.isConsoleOpen = true;
    this.#say(`[${port.name} is open at ${consoleBaud} baud]\r\n`);
    return "";
  }

  #say(text: string): void {
    this.console = (this.console + text).slice(-consoleCharacters);
    this.consoleLength += text.length;
  }

  #pump(): void {
    const port = this.#port;
    if (port === undefined) return;
    const taken = port.write(Uint8Array.from(this.#toSend), 0, this.#toSend.length);
    this.#toSend = this.#toSend.slice(taken);
  }

  readable(): void {
    const port = this.#port;
    if (port === undefined) return;
    for (let count = port.read(this.#read, 0, 1024); count > 0; count = port.read(this.#read, 0, 1024))
      this.#say(this.#decoder.decode(this.#read.subarray(0, count), { stream: true }));
  }

  writable(): void {
    this.#pump();
  }

  modemChanged(): void {}

  receiveError(errors: { overrun: boolean; gotBreak: boolean; framing: boolean; parity: boolean }): void {
    const names = Object.entries(errors).flatMap(([name, isSet]) => (isSet ? [name] : []));
    this.#say(`\r\n[${names.join(", ")}]\r\n`);
  }

  hungUp(): void {
    this.isConsoleOpen = false;
    this.#toSend = [];
    this.#say("\r\n[the port is gone]\r\n");
  }

  boxes(): RigBox[] {
    const { entry, rig } = this;
    const { media, inputCount, machine, ports } = rig;
    const there = machine.registry.entries();
    return boxesOf({
      entry,
      machine,
      isUp: ports.some((port) => there.includes(port)) || media.length > 0 || inputCount > 0,
      isOccupied: (connector) => this.isOccupied(connector),
      outletNote: this.isConsoleOpen ? "open here" : "",
      busNote: this.opening.faults.length === 0 ? "" : `faults: ${this.opening.faults.join(" ")}`,
    });
  }

  isOccupied(connector: number): boolean {
    const { pci, usb } = this.rig;
    return (
      this.rig.isOccupied?.(connector) ??
      usb?.bus.isOccupied(connector) ??
      pci?.bus.isOccupied(connector) ??
      false
    );
  }
}
