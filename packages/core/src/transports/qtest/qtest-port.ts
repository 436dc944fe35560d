// One of QEMU's PCI functions as a PciHostPort: accesses are qtest requests, messages come by the doorbell.

import type { Clock } from "../../base/clock.ts";
import { ContractViolation } from "../../base/errors.ts";
import { allOnes, extendedConfigBytes } from "../../codec/pci/config-space.ts";
import { portReadRequest, portWriteRequest, readRequest, writeRequest } from "../../codec/qtest/qtest.ts";
import type { DmaPort } from "../../ports/dma.ts";
import {
  isPciAccess,
  type PciAddress,
  type PciHostClient,
  type PciHostPort,
  type PciMessage,
  type PciRange,
  PciStatus,
  PciSubmit,
} from "../../ports/pci-host.ts";
import type { QtestClient } from "./qtest-client.ts";

const slots = 64;

export interface QtestPortParts {
  readonly client: QtestClient;
  readonly clock: Clock;
  readonly address: PciAddress;
  readonly configBase: number;
  readonly ranges: readonly PciRange[];
  readonly dma: DmaPort & { carry(): void };
  /** Messages for this function, from the doorbell. */
  readonly messages: (count: number, deliver: (vector: number) => void) => readonly PciMessage[];
  readonly releaseMessages: (messages: readonly PciMessage[]) => void;
}

export class QtestPort implements PciHostPort {
  readonly address: PciAddress;
  readonly ranges: readonly PciRange[];
  readonly dma: DmaPort;
  readonly slotCount = slots;
  readonly #parts: QtestPortParts;
  readonly #sizes = new Uint8Array(slots);
  #client: PciHostClient | null = null;
  #messages: readonly PciMessage[] | null = null;
  /** The link is down: nothing reaches the function any more, and it reaches us as long as it is there. */
  #isDown = false;
  #isGone = false;
  #isDetached = false;

  constructor(parts: QtestPortParts) {
    this.#parts = parts;
    this.address = parts.address;
    this.ranges = parts.ranges;
    this.dma = parts.dma;
  }

  connect(client: PciHostClient): void {
    if (this.#client !== null) throw new ContractViolation("connected-twice", "a PCI port has one client");
    this.#client = client;
    if (this.#isGone) this.#detachSoon();
  }

  configRead(slot: number, offset: number, sizeBytes: number): PciSubmit {
    if (this.#isDetached) return PciSubmit.gone;
    if (sizeBytes === 8 || !this.#isFree(slot) || !isPciAccess(offset, sizeBytes, extendedConfigBytes))
      return PciSubmit.badRequest;
    return this.#read(slot, readRequest(this.#parts.configBase + offset, sizeBytes), sizeBytes, false);
  }

  configWrite(offset: number, sizeBytes: number, value: number): void {
    if (sizeBytes === 8 || !isPciAccess(offset, sizeBytes, extendedConfigBytes) || this.#isDown) return;
    this.#parts.client.send(writeRequest(this.#parts.configBase + offset, sizeBytes, value));
  }

  memoryRead(slot: number, range: number, offset: number, sizeBytes: number): PciSubmit {
    if (this.#isDetached) return PciSubmit.gone;
    const known = this.ranges[range];
    if (known === undefined || !this.#isFree(slot) || !isPciAccess(offset, sizeBytes, known.lengthBytes))
      return PciSubmit.badRequest;
    const at = known.address + offset;
    if (known.kind !== "io") return this.#read(slot, readRequest(at, sizeBytes), sizeBytes, true);
    if (sizeBytes === 8) return PciSubmit.badRequest;
    return this.#read(slot, portReadRequest(at, sizeBytes as 1 | 2 | 4), sizeBytes, true);
  }

  memoryWrite(range: number, offset: number, sizeBytes: number, low: number, high: number): void {
    const known = this.ranges[range];
    if (known === undefined || !isPciAccess(offset, sizeBytes, known.lengthBytes) || this.#isDown) return;
    const at = known.address + offset;
    const { client, dma } = this.#parts;
    dma.carry();
    if (known.kind !== "io") client.send(writeRequest(at, sizeBytes, low, high));
    else if (sizeBytes !== 8) client.send(portWriteRequest(at, sizeBytes as 1 | 2 | 4, low));
  }

  messages(count: number): readonly PciMessage[] {
    this.#messages ??= this.#parts.messages(count, (vector) => {
      if (this.#isDetached) return;
      this.#parts.dma.carry();
      this.#client?.message(vector);
    });
    return this.#messages;
  }

  reset(): void {
    // Function-level reset by the Express capability is the family's to write where a function has it.
  }

  /** The slot's power is about to go: writes are lost, reads end as those of a dead link; `leave` follows. */
  linkDown(): void {
    this.#isDown = true;
  }

  /** The function was taken out, or QEMU has died: reads under way end, then the driver's side hears of it. */
  leave(): void {
    if (this.#isGone) return;
    this.#isDown = true;
    this.#isGone = true;
    if (this.#messages !== null) this.#parts.releaseMessages(this.#messages);
    this.#detachSoon();
  }

  #isFree(slot: number): boolean {
    return Number.isInteger(slot) && slot >= 0 && slot < slots && this.#sizes[slot] === 0;
  }

  /** The input of the interrupt controller that its pin reaches changed its level. */
  lineChanged(isRaised: boolean): void {
    if (this.#isDetached || this.#isDown) return;
    this.#parts.dma.carry();
    this.#client?.line(isRaised);
  }

  #read(slot: number, request: string, sizeBytes: number, isMemory: boolean): PciSubmit {
    this.#sizes[slot] = sizeBytes;
    const { client, clock } = this.#parts;
    if (this.#isDown || client.isDead) {
      clock.after(0, () => this.#complete(slot, PciStatus.unreachable, 0, 0), undefined);
      return PciSubmit.accepted;
    }
    client.send(request, (low, high) => {
      const isDead = this.#isDown && isMemory;
      if (isMemory) this.#parts.dma.carry();
      this.#complete(slot, isDead ? PciStatus.unreachable : PciStatus.ok, low, high);
    });
    return PciSubmit.accepted;
  }

  #complete(slot: number, status: PciStatus, low: number, high: number): void {
    const sizeBytes = this.#sizes[slot];
    // The end of the function may have completed it already.
    if (sizeBytes === 0) return;
    this.#sizes[slot] = 0;
    const ones = allOnes(Math.min(sizeBytes, 4));
    const isGood = status === PciStatus.ok;
    const otherwise = sizeBytes === 8 ? 0xffffffff : 0;
    this.#client?.readCompleted(slot, status, isGood ? low : ones, isGood ? high : otherwise);
  }

  #detachSoon(): void {
    if (this.#client === null) return;
    this.#parts.clock.after(
      0,
      () => {
        if (this.#isDetached) return;
        for (let slot = 0; slot < slots; slot++)
          if (this.#sizes[slot] !== 0) this.#complete(slot, PciStatus.unreachable, 0, 0);
        this.#isDetached = true;
        this.#client?.detached();
      },
      undefined,
    );
  }
}
