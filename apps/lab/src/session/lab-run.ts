// A rig that is looked at: stepped, touched, remembered act by act, drawn as boxes.

import type { DescribeRequest } from "@drydock/core/codec/usb/setup";
import type { UsbFaultRule } from "@drydock/core/faults/usb-faults";
import { parseUsbFaultRule } from "@drydock/core/faults/usb-faults";
import type { SerialClient } from "@drydock/core/ports/serial";
import { defaultLineSettings } from "@drydock/core/ports/serial";
import { type BuiltRig, findRig, type RigEntry } from "@drydock/core/rigs/catalogue";
import type { HostTurn } from "@drydock/core/runtime/scheduler";
import type { Timeline } from "@drydock/core/trace/timeline";
import { wholeOf } from "./acts.ts";
import type { Opening, RigBox } from "./messages.ts";
import { boxesOf } from "./rig-boxes.ts";

/** Rows of a rig that runs for days: some two million of them, then the oldest go and are counted. */
const timelineBytes = 192 << 20;
const consoleCharacters = 20_000;
const consoleBaud = 115_200;
/** Where it stood after a row came; the oldest of these go first, and are found again by running again. */
const mostStops = 65_536;

/** What people did to a rig by hand, and when: the same again makes the same run. */
export interface DoneAct {
  readonly steps: number;
  readonly timeNs: number;
  readonly name: "unplug" | "plug" | "power-cut" | "open-console" | "type";
  readonly value: string;
}

/** What is looked at, whatever it is. */
export interface LabRun {
  readonly opening: Opening;
  readonly title: string;
  readonly timeline: Timeline;
  readonly describeRequests: readonly DescribeRequest[];
}

/** A case's side that has run to its end. */
export interface EndedRun extends LabRun {
  readonly result: { readonly succeeded: boolean; readonly text: string };
  readonly digest: string;
}

export class RigRun implements LabRun, SerialClient {
  readonly opening: Opening;
  readonly entry: RigEntry;
  readonly rig: BuiltRig;
  readonly acts: DoneAct[] = [];
  /** Steps at which a row had come, newest last. */
  readonly stops: number[] = [];
  console = "";
  isConsoleOpen = false;
  #seenNext = 1;
  #toSend: number[] = [];
  readonly #read = new Uint8Array(1024);
  readonly #decoder = new TextDecoder();

  /** Throws RangeError for a rig, a fault or a seed that does not exist. */
  constructor(opening: Opening, turn: HostTurn, keptBytes = timelineBytes) {
    const entry = findRig(opening.what);
    if (entry === null) throw new RangeError(`there is no rig "${opening.what.slice(0, 40)}"`);
    const rules: UsbFaultRule[] = opening.faults.map(parseUsbFaultRule);
    this.opening = opening;
    this.entry = entry;
    this.rig = entry.build({
      seed: opening.seed,
      turn,
      timelineBytes: keptBytes,
      ...(rules.length === 0 ? {} : { faults: { rules } }),
    });
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
      case "power-cut":
        return "this rig's power cannot be cut from here yet";
      case "open-console":
        return this.#open();
      case "type":
        if (!this.isConsoleOpen) return "no port is open: open it first";
        this.#toSend.push(...new TextEncoder().encode(value));
        this.#pump();
        return "";
    }
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
    port.setModemControl(true, true);
    this.isConsoleOpen = true;
    this.#say(`[${port.name} is open at ${consoleBaud} baud]\n`);
    return "";
  }

  #say(text: string): void {
    this.console = (this.console + text).slice(-consoleCharacters);
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
    this.#say(`[${names.join(", ")}]\n`);
  }

  hungUp(): void {
    this.isConsoleOpen = false;
    this.#toSend = [];
    this.#say("[the port is gone]\n");
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
    return usb?.bus.isOccupied(connector) ?? pci?.bus.isOccupied(connector) ?? false;
  }
}
