// A USB policy in force: a wrapper round a device's port that decides before, or some time after, drivers have it.

import type { Clock } from "../base/clock.ts";
import {
  type DescriptorAnswers,
  descriptorKey,
  isSetConfiguration,
  isStandardRequest,
  keepAnswer,
  summarizeDevice,
} from "../dissect/device-summary.ts";
import type { PolicyContext, PolicyDecision, PolicyDevice, UsbPolicyEngine } from "../platform/usb-policy.ts";
import { type UsbHostPort, type UsbPackets, UsbStatus, UsbSubmit } from "../ports/usb-host.ts";
import { UsbHostFilter } from "../ports/usb-host-filter.ts";

export interface PolicyGateOptions {
  readonly clock: Clock;
  readonly engine: UsbPolicyEngine;
  /**
   * `before-drivers`: a blocked device is never configured, as with Linux's authorisation. `capture`: it is configured,
   * drivers start, and `windowNs` later it is taken from them, as a root process on macOS does.
   */
  readonly moment: "before-drivers" | "capture";
  /** From the choice of the configuration to the capture. Default 5 ms. */
  readonly windowNs?: number;
  /** Where the device is: "1-2". */
  readonly viaPort?: string;
  readonly context?: PolicyContext;
}

/** What the gate did with one device. Counts are of data outside of enumeration. */
export interface GateReport {
  readonly locationId: number;
  readonly device: PolicyDevice | null;
  readonly decision: PolicyDecision | null;
  /** When the decision was made, and when it took hold; -1: not yet. */
  readonly decidedNs: number;
  readonly heldNs: number;
  /** Transfers and bytes that went through before the decision took hold; all, for a device that is allowed. */
  readonly transfers: number;
  readonly bytes: number;
}

const captureWindowNs = 5_000_000;

const free = 0;
const forwarded = 1;
const refused = 2;

/** The port, and what became of it. A device whose descriptors cannot be read is never configured. */
export function withUsbPolicy(
  port: UsbHostPort,
  options: PolicyGateOptions,
): { port: UsbHostPort; report(): GateReport } {
  const gate = new UsbPolicyGate(port, options);
  return { port: gate, report: () => gate.report() };
}

class UsbPolicyGate extends UsbHostFilter {
  readonly #options: PolicyGateOptions;
  readonly #states: Uint8Array;
  /** Of control transfers under way: the descriptor's key and where its bytes go; of others: whether they are data. */
  readonly #keys: (string | null)[];
  readonly #buffers: (Uint8Array | null)[];
  readonly #offsets: Uint32Array;
  readonly #isData: Uint8Array;
  readonly #answers: DescriptorAnswers = new Map();
  #device: PolicyDevice | null = null;
  #decision: PolicyDecision | null = null;
  #decidedNs = -1;
  #heldNs = -1;
  #transfers = 0;
  #bytes = 0;
  #isGone = false;

  constructor(port: UsbHostPort, options: PolicyGateOptions) {
    super(port);
    this.#options = options;
    this.#states = new Uint8Array(port.slotCount);
    this.#keys = new Array<string | null>(port.slotCount).fill(null);
    this.#buffers = new Array<Uint8Array | null>(port.slotCount).fill(null);
    this.#offsets = new Uint32Array(port.slotCount);
    this.#isData = new Uint8Array(port.slotCount);
  }

  report(): GateReport {
    return {
      locationId: this.locationId,
      device: this.#device,
      decision: this.#decision,
      decidedNs: this.#decidedNs,
      heldNs: this.#heldNs,
      transfers: this.#transfers,
      bytes: this.#bytes,
    };
  }

  override control(slot: number, setup: Uint8Array, buffer: Uint8Array | null, offset: number): UsbSubmit {
    if (this.#isGone) return UsbSubmit.gone;
    if (slot < 0 || slot >= this.slotCount || this.#states[slot] !== free) return UsbSubmit.badRequest;
    if (isSetConfiguration(setup) && setup[2] !== 0 && !this.#mayConfigure()) return this.#refuse(slot);
    const isStandard = isStandardRequest(setup);
    const submitted = this.port.control(slot, setup, buffer, offset);
    if (submitted === UsbSubmit.accepted) {
      this.#track(slot, !isStandard);
      this.#keys[slot] = isStandard ? descriptorKey(setup) : null;
      this.#buffers[slot] = buffer;
      this.#offsets[slot] = offset;
    }
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
    if (slot < 0 || slot >= this.slotCount || this.#states[slot] !== free) return UsbSubmit.badRequest;
    const submitted = this.port.transfer(slot, endpoint, buffer, offset, length, stream);
    if (submitted === UsbSubmit.accepted) this.#track(slot, true);
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
    if (slot < 0 || slot >= this.slotCount || this.#states[slot] !== free) return UsbSubmit.badRequest;
    const submitted = this.port.isochronous(slot, endpoint, buffer, offset, packets);
    if (submitted === UsbSubmit.accepted) this.#track(slot, true);
    return submitted;
  }

  override cancel(slot: number): void {
    if (this.#states[slot] === forwarded) this.port.cancel(slot);
  }

  override reset(): void {
    if (!this.#isGone) this.port.reset();
  }

  override completed(slot: number, status: UsbStatus, actualBytes: number): void {
    if (this.#states[slot] !== forwarded) return;
    if (this.#isData[slot] === 1) {
      if (actualBytes > 0) {
        this.#transfers++;
        this.#bytes += actualBytes;
      }
    } else if (status === UsbStatus.ok) {
      const key = this.#keys[slot];
      const buffer = this.#buffers[slot];
      const offset = this.#offsets[slot];
      if (key !== null && buffer !== null)
        keepAnswer(this.#answers, key, buffer.subarray(offset, offset + actualBytes));
    }
    this.#free(slot);
    this.client?.completed(slot, status, actualBytes);
  }

  override detached(): void {
    if (!this.#isGone) this.#takeAway();
  }

  /** The moment of decision: all descriptors have been read, and no driver has the device. */
  #mayConfigure(): boolean {
    if (this.#decision === null) {
      const summary = summarizeDevice(this.#answers);
      // A policy without rules says the same about every device, known or not.
      if (summary === null) {
        const { rules, implicitTarget } = this.#options.engine.policy;
        return rules.length === 0 && implicitTarget === "allow";
      }
      this.#device = { ...summary, viaPort: this.#options.viaPort ?? "", connectType: null };
      this.#decision = this.#options.engine.decide(this.#device, this.#options.context);
      this.#decidedNs = this.#options.clock.nowNs();
    }
    const { target, exempt } = this.#decision;
    if (target === "allow") return true;
    if (this.#options.moment === "before-drivers") {
      this.#heldNs = this.#options.clock.nowNs();
      return false;
    }
    if (exempt === null && this.#heldNs < 0) {
      this.#heldNs = this.#options.clock.nowNs() + (this.#options.windowNs ?? captureWindowNs);
      this.#options.clock.after(this.#options.windowNs ?? captureWindowNs, this.#capture, 0);
    }
    return true;
  }

  /** Drivers lose the device as if it had gone; the one who captured it has it. */
  readonly #capture = (): void => {
    if (this.#isGone) return;
    for (let slot = 0; slot < this.slotCount; slot++)
      if (this.#states[slot] === forwarded) this.port.cancel(slot);
    this.#takeAway();
  };

  #takeAway(): void {
    this.#isGone = true;
    for (let slot = 0; slot < this.slotCount; slot++) {
      if (this.#states[slot] === free) continue;
      this.#free(slot);
      this.client?.completed(slot, UsbStatus.gone, 0);
    }
    this.client?.detached();
  }

  /** As a device that does not know the configuration. Never inside the call. */
  #refuse(slot: number): UsbSubmit {
    this.#states[slot] = refused;
    this.#options.clock.after(0, this.#finishRefused, slot);
    return UsbSubmit.accepted;
  }

  readonly #finishRefused = (slot: number): void => {
    if (this.#states[slot] !== refused) return;
    this.#free(slot);
    this.client?.completed(slot, UsbStatus.stall, 0);
  };

  #track(slot: number, isData: boolean): void {
    this.#states[slot] = forwarded;
    this.#isData[slot] = isData ? 1 : 0;
  }

  #free(slot: number): void {
    this.#states[slot] = free;
    this.#keys[slot] = null;
    this.#buffers[slot] = null;
  }
}
