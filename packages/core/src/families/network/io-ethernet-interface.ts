// The kernel's interface on top of an Ethernet driver: "en0", as outlets and programs open it.

import { formatReturn, IOReturns } from "../../base/io-return.ts";
import { ethernetHeaderBytes, formatMac } from "../../codec/ethernet/ethernet.ts";
import {
  type EthernetClient,
  type EthernetCounts,
  type EthernetFilter,
  type EthernetLink,
  type EthernetPort,
  EthernetSend,
  linkDown,
} from "../../ports/ethernet.ts";
import type { Machine } from "../../runtime/machine.ts";
import { IOService, type ServiceContext } from "../../runtime/service.ts";
import { callService } from "../../runtime/service-call.ts";
import {
  type EthernetKernelSide,
  IOUserNetworkEthernet,
  type RegisteredEthernet,
} from "./io-user-network-ethernet.ts";
import type { IOUserNetworkPacket } from "./io-user-network-packet.ts";
import type { IOUserNetworkPacketQueue } from "./io-user-network-packet-queue.ts";
import {
  kIOUserNetworkLinkStatusActive,
  kIOUserNetworkMediaOptionHalfDuplex,
  kIOUserNetworkPacketDirectionTx,
  mediaRate,
} from "./network-constants.ts";

const noFilter: EthernetFilter = { promiscuous: false, allMulticast: false, multicast: [] };
/** With a tag of 802.1Q a frame is four bytes longer than the MTU and header say. */
const tagBytes = 4;

/**
 * Published under the driver when that registers. Implements the Ethernet port contract: frames move through the driver's
 * queues without promises; enabling and filters are calls of the driver, one after the other, on its default queue.
 */
export class IOEthernetInterface extends IOService implements EthernetPort, EthernetKernelSide {
  readonly #driver: IOUserNetworkEthernet;
  readonly #machine: Machine;
  readonly #queues: RegisteredEthernet;
  #name = "";
  #client: EthernetClient | null = null;
  readonly #steps: (() => Promise<void>)[] = [];
  #isRunning = false;
  #isEnabled = false;
  #isGone = false;
  #link: EthernetLink = linkDown;
  #filter = noFilter;
  #told: EthernetFilter | null = null;
  #writerWaits = false;
  #isDrainDue = false;
  readonly #counts = {
    sentFrames: 0,
    sentBytes: 0,
    receivedFrames: 0,
    receivedBytes: 0,
    lostFrames: 0,
    droppedFrames: 0,
  };

  constructor(
    context: ServiceContext,
    machine: Machine,
    driver: IOUserNetworkEthernet,
    queues: RegisteredEthernet,
  ) {
    super(context);
    this.#machine = machine;
    this.#driver = driver;
    this.#queues = queues;
    const reader = { packetsEnqueued: (_queue: IOUserNetworkPacketQueue) => this.#drainSoon() };
    queues.txCompletion.reader = reader;
    queues.rxCompletion.reader = reader;
    driver.attachKernelSide(this);
    this.#link = this.#reportedLink();
  }

  get name(): string {
    return this.#name;
  }

  /** The family's, once: the lowest number that is free. */
  takeName(name: string): void {
    this.#name = name;
  }

  get macAddress(): Uint8Array {
    return this.#queues.macAddress;
  }

  get mtu(): number {
    return this.#driver.getMaxTransferUnit();
  }

  get link(): EthernetLink {
    return this.#link;
  }

  get isOpen(): boolean {
    return this.#client !== null;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  get counts(): EthernetCounts {
    return this.#counts;
  }

  open(client: EthernetClient): string | null {
    if (this.#isGone) return "the interface is gone";
    if (this.#client !== null) return "the interface is open already";
    this.#client = client;
    this.#filter = noFilter;
    this.#told = null;
    this.#writerWaits = false;
    this.#then(async () => {
      if (this.#client !== client) return;
      const isEnabled = await this.#call("SetInterfaceEnable", () => this.#driver.setInterfaceEnable(true));
      if (!isEnabled || this.#isGone) return;
      this.#isEnabled = true;
      this.#fillReceive();
      await this.#tellFilter();
      if (this.#client !== client) return;
      client.enabled();
    });
    return null;
  }

  close(): void {
    if (this.#client === null) return;
    this.#client = null;
    this.#then(async () => {
      if (!this.#isEnabled) return;
      this.#isEnabled = false;
      await this.#call("SetInterfaceEnable", () => this.#driver.setInterfaceEnable(false));
      this.#collectAll();
    });
  }

  setFilter(filter: EthernetFilter): void {
    if (this.#client === null) return;
    this.#filter = { ...filter, multicast: filter.multicast.map((address) => address.slice()) };
    this.#then(() => this.#tellFilter());
  }

  send(bytes: Uint8Array, offset: number, length: number): EthernetSend {
    if (this.#client === null || !this.#isEnabled || this.#isGone) return EthernetSend.closed;
    const most = this.#driver.getMaxTransferUnit() + ethernetHeaderBytes + tagBytes;
    if (length < ethernetHeaderBytes || length > most || offset < 0 || offset + length > bytes.length)
      return EthernetSend.badFrame;
    const { txPool, txSubmission } = this.#queues;
    const packet = txSubmission.count < txSubmission.capacity ? txPool.allocateForKernel() : null;
    if (packet === null) {
      this.#writerWaits = true;
      return EthernetSend.full;
    }
    const headroom = this.#driver.txPacketHeadroom;
    packet.renew(kIOUserNetworkPacketDirectionTx);
    packet.setDataOffsetAndLength(headroom, length);
    packet.setLinkHeaderLength(ethernetHeaderBytes);
    const to = packet.bytes;
    const at = packet.dataAt;
    if (length <= 64) for (let index = 0; index < length; index++) to[at + index] = bytes[offset + index];
    else to.set(bytes.subarray(offset, offset + length), at);
    if (txSubmission.submit(packet)) return EthernetSend.accepted;
    txPool.freeFromKernel(packet);
    return EthernetSend.closed;
  }

  linkReported(): void {
    const link = this.#reportedLink();
    const old = this.#link;
    if (
      link.isUp === old.isUp &&
      link.bitsPerSecond === old.bitsPerSecond &&
      link.isFullDuplex === old.isFullDuplex
    )
      return;
    this.#link = link;
    this.#client?.linkChanged(link);
  }

  #reportedLink(): EthernetLink {
    const driver = this.#driver;
    if (driver.linkStatus !== kIOUserNetworkLinkStatusActive) return linkDown;
    return {
      isUp: true,
      bitsPerSecond: driver.reportedBandwidth || mediaRate(driver.activeMedia),
      isFullDuplex: (driver.activeMedia & kIOUserNetworkMediaOptionHalfDuplex) === 0,
    };
  }

  /** The adapter left, or its driver's process died: nobody waits for a Stop that may never come. */
  override willTerminate(): void {
    this.stopped();
  }

  /** The driver stops: programs see a hang-up, once. */
  stopped(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#isEnabled = false;
    this.#steps.length = 0;
    this.#link = linkDown;
    const client = this.#client;
    this.#client = null;
    this.#collectAll();
    client?.hungUp();
  }

  /** Empty packets for drivers that take them; the others leave them where they are. */
  #fillReceive(): void {
    const { rxPool, rxSubmission } = this.#queues;
    while (rxSubmission.isEnabled && rxSubmission.count < rxSubmission.capacity) {
      // Half of the pool stays for drivers that allocate for themselves.
      if (rxPool.freeCount * 2 <= rxPool.packets.length) return;
      const packet = rxPool.allocateForKernel();
      if (packet === null) return;
      if (!rxSubmission.submit(packet)) {
        rxPool.freeFromKernel(packet);
        return;
      }
    }
  }

  #drainSoon(): void {
    if (this.#isDrainDue) return;
    this.#isDrainDue = true;
    this.#machine.scheduler.ready(drainInterface, this as IOEthernetInterface);
  }

  /** Called by the scheduler: what the driver has completed is home again. */
  drain(): void {
    this.#isDrainDue = false;
    const { rxCompletion, rxPool, txCompletion, txPool } = this.#queues;
    for (let packet = txCompletion.collect(); packet !== null; packet = txCompletion.collect()) {
      if (packet.completionStatus === IOReturns.kIOReturnSuccess) {
        this.#counts.sentFrames++;
        this.#counts.sentBytes += packet.getDataLength();
      } else this.#counts.lostFrames++;
      txPool.freeFromKernel(packet);
    }
    for (let packet = rxCompletion.collect(); packet !== null; packet = rxCompletion.collect()) {
      this.#received(packet);
      rxPool.freeFromKernel(packet);
    }
    if (this.#isEnabled) this.#fillReceive();
    this.#tellWriter();
  }

  #received(packet: IOUserNetworkPacket): void {
    const length = packet.getDataLength();
    const client = this.#client;
    const isFrame = length >= ethernetHeaderBytes && packet.completionStatus === IOReturns.kIOReturnSuccess;
    if (client === null || !this.#isEnabled || !isFrame) {
      this.#counts.droppedFrames++;
      return;
    }
    this.#counts.receivedFrames++;
    this.#counts.receivedBytes += length;
    client.frame(packet.bytes, packet.dataAt, length);
  }

  /** The queues are disabled or will never be used again: packets in them go home. */
  #collectAll(): void {
    const { rxCompletion, rxPool, rxSubmission, txCompletion, txPool, txSubmission } = this.#queues;
    const home = (queue: IOUserNetworkPacketQueue, each: (packet: IOUserNetworkPacket) => void): void => {
      for (let packet = queue.collect(); packet !== null; packet = queue.collect()) each(packet);
    };
    home(txSubmission, (packet) => {
      this.#counts.lostFrames++;
      txPool.freeFromKernel(packet);
    });
    home(txCompletion, (packet) => {
      if (packet.completionStatus === IOReturns.kIOReturnSuccess) {
        this.#counts.sentFrames++;
        this.#counts.sentBytes += packet.getDataLength();
      } else this.#counts.lostFrames++;
      txPool.freeFromKernel(packet);
    });
    home(rxSubmission, (packet) => rxPool.freeFromKernel(packet));
    home(rxCompletion, (packet) => {
      this.#counts.droppedFrames++;
      rxPool.freeFromKernel(packet);
    });
  }

  #tellWriter(): void {
    if (!this.#writerWaits || !this.#isEnabled) return;
    const { txPool, txSubmission } = this.#queues;
    if (txSubmission.count === txSubmission.capacity || txPool.freeCount === 0) return;
    this.#writerWaits = false;
    this.#client?.writable();
  }

  async #tellFilter(): Promise<void> {
    const wanted = this.#filter;
    const old = this.#told ?? noFilter;
    if (!this.#isEnabled || wanted === this.#told) return;
    this.#told = wanted;
    const driver = this.#driver;
    if (wanted.promiscuous !== old.promiscuous)
      await this.#call("SetPromiscuousModeEnable", () => driver.setPromiscuousModeEnable(wanted.promiscuous));
    if (wanted.allMulticast !== old.allMulticast)
      await this.#call("SetAllMulticastModeEnable", () =>
        driver.setAllMulticastModeEnable(wanted.allMulticast),
      );
    if (wanted.multicast.length > 0 || old.multicast.length > 0)
      await this.#call("SetMulticastAddresses", () => driver.setMulticastAddresses(wanted.multicast));
  }

  /** Runs after everything that was asked before, on a kernel thread. */
  #then(step: () => Promise<void>): void {
    this.#steps.push(step);
    if (this.#isRunning || this.#isGone) return;
    this.#isRunning = true;
    this.#machine.kernelProcess.spawn(`network ${this.name}`, async () => {
      for (let next = this.#steps.shift(); next !== undefined && !this.#isGone; next = this.#steps.shift())
        await next();
      this.#isRunning = false;
    });
  }

  /** One call of the driver; false when it refused, which is for the log: no program is told why. */
  async #call(name: string, run: () => Promise<void>): Promise<boolean> {
    const { status, why } = await callService(
      this.#machine.scheduler,
      this.#driver,
      name,
      this.#machine.messageDelayNs(),
      run,
    );
    if (status === IOReturns.kIOReturnSuccess) return true;
    if (!this.#isGone)
      this.#machine.log.remark(
        `IOEthernetInterface: ${this.name}: ${name} of ${this.#driver.logName} failed with ${formatReturn(status)}${why === "" ? "" : `: ${why}`}`,
        "error",
      );
    return false;
  }
}

function drainInterface(port: IOEthernetInterface): void {
  port.drain();
}

/**
 * The network family of a machine: each IOUserNetworkEthernet that has registered an interface and itself gets its
 * IOEthernetInterface, which then registers too. Outlets find interfaces with `machine.onRegistered`.
 */
export function installNetworkFamily(machine: Machine): void {
  const ports = new Set<IOEthernetInterface>();
  machine.onGone((service) => {
    if (service instanceof IOEthernetInterface) ports.delete(service);
  });
  machine.onRegistered((service) => {
    if (!(service instanceof IOUserNetworkEthernet)) return;
    const queues = service.registeredEthernet;
    if (queues === null) {
      machine.log.remark(
        `${service.logName} registered itself without RegisterEthernetInterface: there will be no interface`,
        "error",
      );
      return;
    }
    const port = machine.publish({ kernelClass: "IOEthernetInterface", provider: service }, (context) => {
      return new IOEthernetInterface(context, machine, service, queues);
    });
    const taken = new Set([...ports].filter(({ isGone }) => !isGone).map(({ name }) => name));
    let unit = 0;
    while (taken.has(`en${unit}`)) unit++;
    port.takeName(`en${unit}`);
    ports.add(port);
    port.properties["BSD Name"] = port.name;
    port.properties.IOInterfaceUnit = unit;
    port.properties.IOMACAddress = formatMac(port.macAddress);
    port.registerService();
  });
}
