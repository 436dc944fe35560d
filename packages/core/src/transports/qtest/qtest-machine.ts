// A QEMU machine without a processor: what firmware would do, then ports for each PCI function (qemu-bench.md §5).

import type { Clock } from "../../base/clock.ts";
import { DecodeError } from "../../base/errors.ts";
import { expressRootPort, PciAer, PciExpress, PciSlot } from "../../codec/pci/capabilities.ts";
import {
  decodeBar,
  isAbsent,
  PciCapabilityId,
  PciCommand,
  PciConfig,
  PciExtendedCapabilityId,
} from "../../codec/pci/config-space.ts";
import {
  clockStepRequest,
  portReadRequest,
  portWriteRequest,
  readRequest,
  writeRequest,
} from "../../codec/qtest/qtest.ts";
import { formatPciAddress, type PciAddress, type PciHostPort, type PciRange } from "../../ports/pci-host.ts";
import { Doorbell } from "./doorbell.ts";
import { MemoryMessages } from "./memory-messages.ts";
import type { QtestClient } from "./qtest-client.ts";
import { physicalAddresses, QtestDma } from "./qtest-dma.ts";
import { QtestPort } from "./qtest-port.ts";
import type { RamArena } from "./ram-arena.ts";
import { Vtd } from "./vtd.ts";

export interface QtestMachineOptions {
  readonly client: QtestClient;
  readonly clock: Clock;
  readonly arena: RamArena;
  /** Functions get VT-d domains; QEMU must have been started with intel-iommu. */
  readonly hasIommu?: boolean;
  /**
   * `doorbell` (default): messages wake us through QEMU's edu, three round trips each. `memory`: they are words in shared
   * RAM, and the host calls `takeMessages` when it has a moment.
   */
  readonly messages?: "doorbell" | "memory";
}

/** ECAM of q35, and where BARs go; 0xFEC00000 and above belong to the interrupt controllers. */
const ecamBase = 0xb000_0000;
const rootMemory = 0xe000_0000;
const bridgeMemory = 0xe800_0000;
const bridgeWindowBytes = 0x0100_0000;
/** Where I/O ranges go, on bus 0 alone. */
const rootPorts = 0xc000;
const rootPortsEnd = 0xffff;
/** edu: QEMU's own device for learners, here the doorbell. */
const eduId = 0x11e81234;
/** Pins of slots 1 to 24 arrive at these inputs of the IOAPIC. */
const firstInput = 20;
const bridgeClass = 0x0604;

/** Advanced error reporting, as a root port knows it. */
export interface RootPortErrors {
  /** Root error status: bit 2 an uncorrectable error, 4 and 6 a fatal one, 5 one that is not. */
  readonly status: number;
  /** Bus, device and function that reported the first of them. */
  readonly source: number;
}

const extendedStart = 0x100;

interface Bridge {
  readonly address: PciAddress;
  readonly bus: number;
  readonly windowBase: number;
  readonly expressAt: number;
}

export class QtestMachine {
  readonly client: QtestClient;
  readonly arena: RamArena;
  readonly vtd: Vtd | null;
  readonly ports: QtestPort[] = [];
  /** Functions that were found and could not be brought up. */
  readonly failures: string[] = [];
  readonly #clock: Clock;
  readonly #bridges: Bridge[] = [];
  readonly #listeners: ((port: PciHostPort) => void)[] = [];
  #nextMemory = rootMemory;
  #nextPort = rootPorts;
  #doorbell: Doorbell | null = null;
  readonly #memoryMessages: MemoryMessages | null;
  #steppedNs = 0;

  constructor(options: QtestMachineOptions) {
    this.client = options.client;
    this.arena = options.arena;
    this.#clock = options.clock;
    this.#memoryMessages = options.messages === "memory" ? new MemoryMessages(options.arena) : null;
    this.vtd = options.hasIommu === true ? new Vtd(options.client, options.arena) : null;
  }

  onAttach(listener: (port: PciHostPort) => void): void {
    this.#listeners.push(listener);
  }

  /** ECAM, the doorbell, VT-d, then every function behind bus 0 and its root ports. Rejects when QEMU dies. */
  async bringUp(): Promise<void> {
    // Offsets 60h and 64h of the host bridge (q35): base and enable.
    this.client.send(portWriteRequest(0xcf8, 4, 0x8000_0064));
    this.client.send(portWriteRequest(0xcfc, 4, 0));
    this.client.send(portWriteRequest(0xcf8, 4, 0x8000_0060));
    this.client.send(portWriteRequest(0xcfc, 4, ecamBase | 1));
    await this.client.ask(portReadRequest(0xcfc, 4));
    await this.vtd?.enable();
    const found: PciAddress[] = [];
    for (let device = 1; device < 31; device++) {
      const address = { bus: 0, device, function: 0 };
      const id = await this.#config(address, 0, 4);
      if (isAbsent(id)) continue;
      if (id === eduId && this.#doorbell === null) await this.#makeDoorbell(address);
      else if ((await this.#config(address, 0x0a, 2)) === bridgeClass) await this.#openBridge(address);
      else found.push(address);
    }
    if (this.#doorbell === null) throw new Error("no edu device: interrupts would not be seen");
    for (const bridge of this.#bridges) {
      const address = { bus: bridge.bus, device: 0, function: 0 };
      if (!isAbsent(await this.#config(address, 0, 4))) found.push(address);
    }
    for (const address of found) await this.#bringUpFunction(address);
  }

  /**
   * A function behind a root port is taken out while it works: `ask` presses the slot's button (QMP device_del), then the
   * slot's power is switched off under it. Resolves when configuration reads are all ones.
   */
  async unplug(port: PciHostPort, ask: () => Promise<unknown>): Promise<void> {
    const bridge = this.#bridgeOf(port);
    await ask();
    const statusAt = bridge.expressAt + PciExpress.slotStatus;
    const controlAt = bridge.expressAt + PciExpress.slotControl;
    const seen = await this.#config(bridge.address, statusAt, 2);
    // Exactly the bits that were read: a blanket mask is ignored.
    this.#write(bridge.address, statusAt, 2, seen);
    // A doorbell write just before the power goes makes QEMU begin commands while it takes the function apart, and die of them:
    // the link is down first, and what was written before has had its effect when the read is answered.
    (port as QtestPort).linkDown();
    const control = await this.#config(bridge.address, controlAt, 2);
    const isOff = (control & ~PciSlot.powerIndicatorMask) | PciSlot.powerOff | PciSlot.powerIndicatorOff;
    this.#write(bridge.address, controlAt, 2, isOff);
    for (let tries = 0; tries < 100; tries++)
      if ((await this.#config(port.address, 0, 4)) === 0xffffffff) break;
    const at = this.ports.indexOf(port as QtestPort);
    if (at >= 0) this.ports.splice(at, 1);
    (port as QtestPort).leave();
  }

  /** After QMP device_add on the root port of a function that left: power on, enumerate, attach. */
  async replug(address: PciAddress, ask: () => Promise<unknown>): Promise<void> {
    const bridge = this.#bridges.find(({ bus }) => bus === address.bus);
    if (bridge === undefined) throw new Error(`no root port above ${formatPciAddress(address)}`);
    await ask();
    const statusAt = bridge.expressAt + PciExpress.slotStatus;
    const controlAt = bridge.expressAt + PciExpress.slotControl;
    this.#write(bridge.address, statusAt, 2, await this.#config(bridge.address, statusAt, 2));
    const control = await this.#config(bridge.address, controlAt, 2);
    const isOn = (control & ~PciSlot.powerIndicatorMask & ~PciSlot.powerOff) | PciSlot.powerIndicatorOn;
    this.#write(bridge.address, controlAt, 2, isOn);
    for (let tries = 0; tries < 100; tries++) if (!isAbsent(await this.#config(address, 0, 4))) break;
    await this.#bringUpFunction(address);
  }

  /**
   * Lets a function behind a root port report its errors, all the way up to the port's status (PCI Express 3.0 §6.2.6): SERR#
   * in the function's command (the port's own and its bridge control have it), all four kinds in both device controls,
   * root control and root error command. Rejects when it hangs behind no root port.
   */
  async reportErrors(port: PciHostPort): Promise<void> {
    const bridge = this.#bridgeOf(port);
    const command = await this.#config(port.address, PciConfig.command, 2);
    this.#write(port.address, PciConfig.command, 2, command | PciCommand.serr | PciCommand.busMaster);
    const express = await this.#capability(port.address, PciCapabilityId.express);
    for (const [address, at] of [
      [bridge.address, bridge.expressAt],
      [port.address, express],
    ] as const)
      if (at !== 0) this.#write(address, at + PciExpress.deviceControl, 2, 0xf);
    this.#write(bridge.address, bridge.expressAt + PciExpress.rootControl, 2, 7);
    const aer = await this.#errorsAt(bridge.address);
    this.#write(bridge.address, aer + PciAer.rootCommand, 4, 7);
  }

  /** What the root port above a function has been told since it was last asked: its status, and who was the source. */
  async takeErrors(port: PciHostPort): Promise<RootPortErrors> {
    const { address } = this.#bridgeOf(port);
    const aer = await this.#errorsAt(address);
    const status = await this.#config(address, aer + PciAer.rootStatus, 4);
    const source = (await this.#config(address, aer + PciAer.rootSource, 4)) >>> 16;
    this.#write(address, aer + PciAer.rootStatus, 4, status);
    return { status, source };
  }

  async #errorsAt(address: PciAddress): Promise<number> {
    let at = extendedStart;
    for (let count = 0; count < 64 && at >= extendedStart; count++) {
      const header = await this.#config(address, at, 4);
      if ((header & 0xffff) === PciExtendedCapabilityId.advancedErrorReporting) return at;
      at = (header >>> 20) & 0xffc;
    }
    throw new Error(`${formatPciAddress(address)} has no advanced error reporting`);
  }

  /** QEMU's virtual clock follows ours: timers of devices obey it, disks and sockets do not. */
  stepClock(): void {
    const nowNs = this.#clock.nowNs();
    if (nowNs <= this.#steppedNs) return;
    this.client.send(clockStepRequest(nowNs - this.#steppedNs));
    this.#steppedNs = nowNs;
  }

  /** A message lies in shared RAM. */
  get hasMessages(): boolean {
    return this.#memoryMessages?.isDue ?? false;
  }

  /** Delivers messages that lie in shared RAM. Called as a step of the machine's scheduler. */
  takeMessages(): void {
    this.#memoryMessages?.take();
  }

  /** QEMU has died: every function leaves. */
  die(): void {
    for (const port of this.ports.splice(0)) port.leave();
  }

  #bridgeOf(port: PciHostPort): Bridge {
    const bridge = this.#bridges.find(({ bus }) => bus === port.address.bus);
    if (bridge === undefined) throw new Error(`${formatPciAddress(port.address)} hangs behind no root port`);
    return bridge;
  }

  async #makeDoorbell(address: PciAddress): Promise<void> {
    const base = this.#nextMemory;
    this.#nextMemory += 0x0010_0000;
    this.#write(address, PciConfig.bar0, 4, base);
    this.#write(address, PciConfig.command, 2, PciCommand.memorySpace | PciCommand.busMaster);
    this.#doorbell = new Doorbell(this.client, base, inputOf(address));
    this.#doorbell.onOtherLine = (input, isRaised) => {
      for (const port of this.ports)
        if (port.address.bus === 0 && inputOf(port.address) === input) port.lineChanged(isRaised);
    };
    this.#doorbell.start();
  }

  /** Bus numbers, window, decode, and SERR# both ways: without the bridge's no error message comes up. */
  async #openBridge(address: PciAddress): Promise<void> {
    const bus = this.#bridges.length + 1;
    const windowBase = bridgeMemory + this.#bridges.length * bridgeWindowBytes;
    this.#write(address, PciConfig.primaryBus, 1, 0);
    this.#write(address, PciConfig.secondaryBus, 1, bus);
    this.#write(address, PciConfig.subordinateBus, 1, bus);
    this.#write(address, PciConfig.memoryBase, 2, (windowBase >>> 16) & 0xfff0);
    this.#write(address, PciConfig.memoryLimit, 2, ((windowBase + bridgeWindowBytes - 1) >>> 16) & 0xfff0);
    this.#write(address, PciConfig.bridgeControl, 2, 0x2);
    this.#write(
      address,
      PciConfig.command,
      2,
      PciCommand.memorySpace | PciCommand.busMaster | PciCommand.serr,
    );
    const expressAt = await this.#capability(address, PciCapabilityId.express);
    const kind = expressAt === 0 ? -1 : ((await this.#config(address, expressAt + 2, 2)) >>> 4) & 0xf;
    if (kind !== expressRootPort) this.failures.push(`${formatPciAddress(address)} is no root port`);
    this.#bridges.push({ address, bus, windowBase, expressAt });
  }

  async #capability(address: PciAddress, id: number): Promise<number> {
    let at = (await this.#config(address, PciConfig.capabilityPointer, 1)) & 0xfc;
    for (let count = 0; count < 48 && at >= 0x40; count++) {
      const header = await this.#config(address, at, 2);
      if ((header & 0xff) === id) return at;
      at = (header >>> 8) & 0xfc;
    }
    return 0;
  }

  async #bringUpFunction(address: PciAddress): Promise<void> {
    let ranges: PciRange[];
    try {
      ranges = await this.#assignBars(address);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.failures.push(`${formatPciAddress(address)}: ${error.message}`);
      return;
    }
    const domain = this.vtd?.domainFor(address) ?? null;
    const messages = this.#memoryMessages ?? (this.#doorbell as Doorbell);
    domain?.mapDevicePage(messages.address);
    const port = new QtestPort({
      client: this.client,
      clock: this.#clock,
      address,
      configBase: configBase(address),
      ranges,
      dma: new QtestDma(this.arena, domain ?? physicalAddresses),
      messages: (count, deliver) => messages.allocate(count, deliver),
      releaseMessages: (given) => messages.release(given),
    });
    this.ports.push(port);
    for (const listener of this.#listeners) listener(port);
  }

  async #assignBars(address: PciAddress): Promise<PciRange[]> {
    const bridge = this.#bridges.find(({ bus }) => bus === address.bus);
    let next = bridge?.windowBase ?? this.#nextMemory;
    const end = bridge === undefined ? bridgeMemory : bridge.windowBase + bridgeWindowBytes;
    const ranges: PciRange[] = [];
    for (let index = 0; index < 6; index++) {
      const at = PciConfig.bar0 + index * 4;
      this.#write(address, at, 4, 0xffffffff);
      const low = await this.#config(address, at, 4);
      const isWide = (low & 7) === 4 && index < 5;
      if (isWide) this.#write(address, at + 4, 4, 0xffffffff);
      const high = isWide ? await this.#config(address, at + 4, 4) : 0;
      const shape = decodeBar(index, low, high);
      if (shape === null) continue;
      const { lengthBytes, kind, isPrefetchable } = shape;
      if (kind === "io") {
        const port = Math.ceil(this.#nextPort / lengthBytes) * lengthBytes;
        const isPlaced = bridge === undefined && port + lengthBytes <= rootPortsEnd;
        this.#write(address, at, 4, isPlaced ? port : 0);
        if (!isPlaced) continue;
        this.#nextPort = port + lengthBytes;
        ranges.push({ barIndex: index, kind, isPrefetchable: false, address: port, lengthBytes });
        continue;
      }
      const place = Math.ceil(next / lengthBytes) * lengthBytes;
      next = place + lengthBytes;
      this.#write(address, at, 4, place);
      if (isWide) this.#write(address, at + 4, 4, 0);
      if (next > end)
        throw new DecodeError(
          "PCI BAR",
          at,
          `${lengthBytes} bytes do not fit where BARs go up to 0x${end.toString(16)}`,
        );
      const held = await this.#config(address, at, 4);
      if ((held & 0xfffffff0) >>> 0 !== place)
        throw new DecodeError(
          "PCI BAR",
          at,
          `holds 0x${held.toString(16)} in place of 0x${place.toString(16)}`,
        );
      ranges.push({ barIndex: index, kind, isPrefetchable, address: place, lengthBytes });
      if (isWide) index++;
    }
    if (bridge === undefined) this.#nextMemory = next;
    return ranges;
  }

  async #config(address: PciAddress, offset: number, sizeBytes: number): Promise<number> {
    return (await this.client.ask(readRequest(configBase(address) + offset, sizeBytes))).low;
  }

  #write(address: PciAddress, offset: number, sizeBytes: number, value: number): void {
    this.client.send(writeRequest(configBase(address) + offset, sizeBytes, value));
  }
}

function configBase(address: PciAddress): number {
  return ecamBase + address.bus * 0x10_0000 + address.device * 0x8000 + address.function * 0x1000;
}

/** The IOAPIC input that pin A of a function on bus 0 reaches. */
function inputOf(address: PciAddress): number {
  return firstInput + (address.device % 4);
}
