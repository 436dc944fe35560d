// Faults on a USB port, by rule and by seed: same type in, same type out.

import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import { hex } from "../base/text.ts";
import { formatNs, millisecond } from "../base/units.ts";
import {
  type UsbHostClient,
  type UsbHostPort,
  UsbPacketStatus,
  type UsbPackets,
  UsbStatus,
  UsbSubmit,
} from "../ports/usb-host.ts";
import { UsbHostFilter } from "../ports/usb-host-filter.ts";

export const usbFaultKinds = [
  "drop",
  "delay",
  "stall",
  "truncate",
  "corrupt",
  "protocolError",
  "disconnect",
] as const;
export type UsbFaultKind = (typeof usbFaultKinds)[number];

/** When and where one fault strikes. Every condition that is given must hold. */
export interface UsbFaultRule {
  readonly kind: UsbFaultKind;
  /** Address with direction bit; 0 is the control endpoint. Absent: any. */
  readonly endpoint?: number;
  /** bRequest, for control transfers. */
  readonly request?: number;
  /** `in` or `out`, by the data's direction. */
  readonly direction?: "in" | "out";
  /** Only the nth transfer that meets the other conditions, from 1. */
  readonly nth?: number;
  /** 0 to 1, drawn per transfer. Default 1. */
  readonly probability?: number;
  /** `disconnect` at an instant (from attach) instead of at a transfer. */
  readonly atNs?: number;
  /** How long `delay` holds a completion. Default 5 ms. */
  readonly delayNs?: number;
}

export interface UsbFaultPlan {
  readonly rules: readonly UsbFaultRule[];
}

export interface UsbFaultParts {
  readonly clock: Clock;
  readonly random: Random;
  /** Told when a fault strikes, for traces. */
  readonly onFault?: (text: string) => void;
}

const defaultDelayNs = 5 * millisecond;
const directionIn = 0x80;

const free = 0;
const forwarded = 1;
const held = 2;
const finishing = 3;

/**
 * What strikes, as hardware would show it: `drop`: the device never answers, so neither does anything behind it on that
 * endpoint until the host cancels. `stall`, `protocolError`: the endpoint halts. `truncate`: half of an IN's bytes.
 * `corrupt`: one bit of the data is wrong. `delay`: the answer comes late. `disconnect`: the cable.
 */
export function withUsbFaults(port: UsbHostPort, plan: UsbFaultPlan, parts: UsbFaultParts): UsbHostPort {
  return new FaultyUsbPort(port, plan, parts);
}

class FaultyUsbPort extends UsbHostFilter {
  readonly #rules: readonly UsbFaultRule[];
  readonly #parts: UsbFaultParts;
  readonly #meets: number[];
  readonly #states: Uint8Array;
  readonly #endpoints: Uint8Array;
  readonly #faults: (UsbFaultRule | null)[];
  readonly #buffers: (Uint8Array | null)[];
  readonly #offsets: Uint32Array;
  readonly #packets: (UsbPackets | null)[];
  readonly #pendingStatus: Uint8Array;
  readonly #pendingBytes: Uint32Array;
  readonly #halted = new Set<number>();
  /** By endpoint: no completion before this, so that a delayed one is not overtaken. */
  readonly #releaseNs = new Map<number, number>();
  #isGone = false;

  constructor(port: UsbHostPort, plan: UsbFaultPlan, parts: UsbFaultParts) {
    super(port);
    this.#rules = plan.rules;
    this.#parts = parts;
    this.#meets = plan.rules.map(() => 0);
    this.#states = new Uint8Array(port.slotCount);
    this.#endpoints = new Uint8Array(port.slotCount);
    this.#faults = new Array<UsbFaultRule | null>(port.slotCount).fill(null);
    this.#buffers = new Array<Uint8Array | null>(port.slotCount).fill(null);
    this.#offsets = new Uint32Array(port.slotCount);
    this.#packets = new Array<UsbPackets | null>(port.slotCount).fill(null);
    this.#pendingStatus = new Uint8Array(port.slotCount);
    this.#pendingBytes = new Uint32Array(port.slotCount);
  }

  override connect(client: UsbHostClient): void {
    this.client = client;
    this.port.connect(this);
    for (const rule of this.#rules) {
      if (rule.kind !== "disconnect" || rule.atNs === undefined) continue;
      this.#parts.clock.after(rule.atNs, this.#disconnect, rule);
    }
  }

  override control(slot: number, setup: Uint8Array, buffer: Uint8Array | null, offset: number): UsbSubmit {
    if (this.#isGone) return UsbSubmit.gone;
    if (this.#states[slot] !== free) return UsbSubmit.badRequest;
    const isIn = (setup[0] & directionIn) !== 0;
    const length = setup[6] | (setup[7] << 8);
    const rule = this.#choose(0, isIn, setup[1]);
    if (this.#mustHold(0, rule)) return this.#hold(slot, 0, rule);
    const given = this.#corruptOut(rule, 0, isIn, buffer, offset, length);
    const submitted = this.port.control(slot, setup, given, offset);
    if (submitted === UsbSubmit.accepted) this.#track(slot, 0, rule, isIn ? buffer : null, offset);
    return submitted;
  }

  override transfer(
    slot: number,
    endpoint: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    stream = 0,
  ): UsbSubmit {
    if (this.#isGone) return UsbSubmit.gone;
    if (this.#states[slot] !== free) return UsbSubmit.badRequest;
    if (this.#halted.has(endpoint)) return UsbSubmit.halted;
    const isIn = (endpoint & directionIn) !== 0;
    const rule = this.#choose(endpoint, isIn, null);
    if (this.#mustHold(endpoint, rule)) return this.#hold(slot, endpoint, rule);
    const given = this.#corruptOut(rule, endpoint, isIn, buffer, offset, length) as Uint8Array;
    const submitted = this.port.transfer(slot, endpoint, given, offset, length, stream);
    if (submitted === UsbSubmit.accepted) this.#track(slot, endpoint, rule, isIn ? buffer : null, offset);
    return submitted;
  }

  override isochronous(
    slot: number,
    endpoint: number,
    buffer: Uint8Array,
    offset: number,
    packets: UsbPackets,
  ): UsbSubmit {
    if (this.#isGone) return UsbSubmit.gone;
    if (this.#states[slot] !== free) return UsbSubmit.badRequest;
    const isIn = (endpoint & directionIn) !== 0;
    const rule = this.#choose(endpoint, isIn, null);
    if (rule?.kind === "disconnect") return this.#hold(slot, endpoint, rule);
    const submitted = this.port.isochronous(slot, endpoint, buffer, offset, packets);
    if (submitted === UsbSubmit.accepted) {
      this.#track(slot, endpoint, rule, isIn ? buffer : null, offset);
      this.#packets[slot] = packets;
    }
    return submitted;
  }

  override cancel(slot: number): void {
    if (this.#states[slot] === forwarded) this.port.cancel(slot);
    else if (this.#states[slot] === held) {
      this.#states[slot] = finishing;
      this.#pendingStatus[slot] = UsbStatus.cancelled;
      this.#pendingBytes[slot] = 0;
      this.#parts.clock.after(0, this.#finish, slot);
    }
  }

  override clearHalt(endpoint: number): void {
    this.#halted.delete(endpoint);
    this.port.clearHalt(endpoint);
  }

  override reset(): void {
    if (!this.#isGone) this.port.reset();
  }

  override completed(slot: number, status: UsbStatus, actualBytes: number): void {
    if (this.#states[slot] !== forwarded) return;
    const packets = this.#packets[slot];
    this.#packets[slot] = null;
    const struck = this.#faults[slot];
    if (packets !== null && struck !== null && struck.kind !== "delay") {
      if (status === UsbStatus.ok) this.#strikePackets(slot, struck, packets);
      this.#complete(
        slot,
        status,
        packets.actualBytes.reduce((sum, bytes) => sum + bytes, 0),
      );
      return;
    }
    const rule = this.#faults[slot];
    const endpoint = this.#endpoints[slot];
    let result: UsbStatus = status;
    let bytes = actualBytes;
    let release = this.#releaseNs.get(endpoint) ?? 0;
    if (rule !== null && status === UsbStatus.ok) {
      switch (rule.kind) {
        case "stall":
        case "protocolError":
          result = rule.kind === "stall" ? UsbStatus.stall : UsbStatus.protocolError;
          bytes = 0;
          if (endpoint !== 0) this.#halted.add(endpoint);
          this.#note(rule, endpoint);
          break;
        case "truncate":
          // An OUT cannot come back short without the device's doing: such a rule has nothing to strike.
          if (this.#buffers[slot] === null) break;
          bytes = actualBytes >> 1;
          this.#note(rule, endpoint);
          break;
        case "corrupt":
          if (this.#corruptIn(slot, actualBytes)) this.#note(rule, endpoint);
          break;
        case "delay":
          release = Math.max(release, this.#parts.clock.nowNs() + (rule.delayNs ?? defaultDelayNs));
          this.#releaseNs.set(endpoint, release);
          this.#note(rule, endpoint);
          break;
        default:
          break;
      }
    }
    const wait = release - this.#parts.clock.nowNs();
    if (wait <= 0 && !this.#isWaitingBehind(endpoint)) {
      this.#complete(slot, result, bytes);
      return;
    }
    this.#states[slot] = finishing;
    this.#pendingStatus[slot] = result;
    this.#pendingBytes[slot] = bytes;
    this.#delayed.push(slot);
    this.#parts.clock.after(Math.max(0, wait), this.#releaseDelayed, endpoint);
  }

  /**
   * Isochronous packets have no handshake: what would halt another endpoint loses them here. `drop`: no packet was there;
   * `stall`, `protocolError`: damaged on the wire; `truncate`: an IN brings half of each; `corrupt`: a bit of the first.
   */
  #strikePackets(slot: number, rule: UsbFaultRule, packets: UsbPackets): void {
    const isIn = this.#buffers[slot] !== null;
    const { actualBytes, statuses } = packets;
    switch (rule.kind) {
      case "truncate":
        if (!isIn) return;
        for (const [index, bytes] of actualBytes.entries()) actualBytes[index] = bytes >> 1;
        break;
      case "corrupt":
        if (!isIn || !this.#corruptIn(slot, actualBytes[0])) return;
        break;
      default:
        actualBytes.fill(0);
        statuses.fill(rule.kind === "drop" ? UsbPacketStatus.missed : UsbPacketStatus.damaged);
    }
    this.#note(rule, this.#endpoints[slot]);
  }

  override detached(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#endAll();
  }

  /** Completions that wait for their time, in order. */
  readonly #delayed: number[] = [];

  #isWaitingBehind(endpoint: number): boolean {
    return this.#delayed.some((slot) => this.#endpoints[slot] === endpoint);
  }

  readonly #releaseDelayed = (endpoint: number): void => {
    if ((this.#releaseNs.get(endpoint) ?? 0) > this.#parts.clock.nowNs()) return;
    for (;;) {
      const at = this.#delayed.findIndex((slot) => this.#endpoints[slot] === endpoint);
      if (at < 0) return;
      const [slot] = this.#delayed.splice(at, 1);
      this.#complete(slot, this.#pendingStatus[slot] as UsbStatus, this.#pendingBytes[slot]);
    }
  };

  readonly #finish = (slot: number): void => {
    if (this.#states[slot] !== finishing || this.#delayed.includes(slot)) return;
    this.#complete(slot, this.#pendingStatus[slot] as UsbStatus, this.#pendingBytes[slot]);
  };

  readonly #disconnect = (rule: UsbFaultRule): void => {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#note(rule, this.#endpoints[0]);
    for (let slot = 0; slot < this.slotCount; slot++)
      if (this.#states[slot] === forwarded) this.port.cancel(slot);
    this.#endAll();
  };

  #endAll(): void {
    this.#delayed.length = 0;
    for (let slot = 0; slot < this.slotCount; slot++) {
      if (this.#states[slot] !== free) this.#complete(slot, UsbStatus.gone, 0);
    }
    this.client?.detached();
  }

  #complete(slot: number, status: UsbStatus, bytes: number): void {
    this.#states[slot] = free;
    this.#faults[slot] = null;
    this.#buffers[slot] = null;
    this.client?.completed(slot, status, bytes);
  }

  #track(
    slot: number,
    endpoint: number,
    rule: UsbFaultRule | null,
    buffer: Uint8Array | null,
    offset: number,
  ): void {
    this.#states[slot] = forwarded;
    this.#endpoints[slot] = endpoint;
    this.#faults[slot] = rule;
    this.#buffers[slot] = buffer;
    this.#offsets[slot] = offset;
    if (rule?.kind === "disconnect") this.#parts.clock.after(0, this.#disconnect, rule);
  }

  /** The device is silent: this transfer, and whatever comes behind it on the endpoint. */
  #mustHold(endpoint: number, rule: UsbFaultRule | null): boolean {
    if (rule?.kind === "drop") return true;
    for (let slot = 0; slot < this.slotCount; slot++) {
      if (this.#states[slot] === held && this.#endpoints[slot] === endpoint) return true;
    }
    return false;
  }

  #hold(slot: number, endpoint: number, rule: UsbFaultRule | null): UsbSubmit {
    if (slot < 0 || slot >= this.slotCount) return UsbSubmit.badRequest;
    this.#states[slot] = held;
    this.#endpoints[slot] = endpoint;
    if (rule !== null) this.#note(rule, endpoint);
    return UsbSubmit.accepted;
  }

  #choose(endpoint: number, isIn: boolean, request: number | null): UsbFaultRule | null {
    let chosen: UsbFaultRule | null = null;
    this.#rules.forEach((rule, index) => {
      if (rule.atNs !== undefined) return;
      if (rule.endpoint !== undefined && rule.endpoint !== endpoint) return;
      if (rule.request !== undefined && rule.request !== request) return;
      if (rule.direction !== undefined && (rule.direction === "in") !== isIn) return;
      this.#meets[index]++;
      if (rule.nth !== undefined && rule.nth !== this.#meets[index]) return;
      if (rule.probability !== undefined && !this.#parts.random.chance(rule.probability)) return;
      chosen ??= rule;
    });
    return chosen;
  }

  /** A copy with one wrong bit: the caller's buffer is not ours to change. */
  #corruptOut(
    rule: UsbFaultRule | null,
    endpoint: number,
    isIn: boolean,
    buffer: Uint8Array | null,
    offset: number,
    length: number,
  ): Uint8Array | null {
    if (rule?.kind !== "corrupt" || isIn || buffer === null || length === 0) return buffer;
    const copy = buffer.slice();
    this.#flip(copy, offset, length);
    this.#note(rule, endpoint);
    return copy;
  }

  #corruptIn(slot: number, length: number): boolean {
    const buffer = this.#buffers[slot];
    if (buffer === null || length === 0) return false;
    this.#flip(buffer, this.#offsets[slot], length);
    return true;
  }

  #flip(bytes: Uint8Array, offset: number, length: number): void {
    bytes[offset + this.#parts.random.below(length)] ^= 1 << this.#parts.random.below(8);
  }

  #note(rule: UsbFaultRule, endpoint: number): void {
    const place = rule.atNs === undefined ? `endpoint 0x${hex(endpoint, 2)}` : `at ${formatNs(rule.atNs)}`;
    this.#parts.onFault?.(`fault: ${rule.kind} ${place}`);
  }
}

const ruleHelp =
  'a rule is KIND[:KEY=VALUE,...] with KIND one of drop, delay, stall, truncate, corrupt, protocolError, disconnect and KEY one of ep, request, nth, probability, at, delay, or the words "in" and "out"';

/** Rules as people type them: `stall:ep=0x81,nth=3`, `disconnect:at=12ms`. Throws RangeError that says what to do. */
export function parseUsbFaultRule(text: string): UsbFaultRule {
  const [kindText, conditions = ""] = split(text, ":");
  const kind = usbFaultKinds.find((known) => known === kindText);
  if (kind === undefined) throw new RangeError(`unknown fault "${kindText}" in "${text}"; ${ruleHelp}`);
  const rule: { -readonly [Key in keyof UsbFaultRule]: UsbFaultRule[Key] } = { kind };
  for (const part of conditions === "" ? [] : conditions.split(",")) {
    const [key, value = ""] = split(part, "=");
    switch (key) {
      case "in":
      case "out":
        rule.direction = key;
        break;
      case "ep":
        rule.endpoint = integer(value, text, 0, 0xff);
        break;
      case "request":
        rule.request = integer(value, text, 0, 0xff);
        break;
      case "nth":
        rule.nth = integer(value, text, 1, Number.MAX_SAFE_INTEGER);
        break;
      case "probability": {
        const probability = Number(value);
        if (value === "" || !(probability >= 0 && probability <= 1)) {
          throw new RangeError(`probability must be 0 to 1, not "${value}", in "${text}"`);
        }
        rule.probability = probability;
        break;
      }
      case "at":
        rule.atNs = duration(value, text);
        break;
      case "delay":
        rule.delayNs = duration(value, text);
        break;
      default:
        throw new RangeError(`unknown condition "${key}" in "${text}"; ${ruleHelp}`);
    }
  }
  if (rule.atNs !== undefined && kind !== "disconnect")
    throw new RangeError(`"at" goes with disconnect only, in "${text}"`);
  return rule;
}

function split(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function integer(value: string, rule: string, least: number, most: number): number {
  const number = Number(value);
  if (value === "" || !Number.isInteger(number) || number < least || number > most) {
    throw new RangeError(`"${value}" is not a number from ${least} to ${most}, in "${rule}"`);
  }
  return number;
}

/** `12ms`, `5us`, `2s`, `100ns`. */
function duration(value: string, rule: string): number {
  const match = /^(\d+(?:\.\d+)?)(ns|us|ms|s)$/.exec(value);
  if (match === null) throw new RangeError(`"${value}" is no duration such as 12ms, in "${rule}"`);
  const unit = { ns: 1, us: 1e3, ms: 1e6, s: 1e9 }[match[2]] as number;
  return Math.round(Number(match[1]) * unit);
}
