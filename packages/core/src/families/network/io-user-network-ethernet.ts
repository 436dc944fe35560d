// IOUserNetworkEthernet: the base class of Ethernet drivers, with the calls the kernel makes on them.

import { type IOReturn, IOReturns } from "../../base/io-return.ts";
import { ethernetHeaderBytes, isStationAddress, macAddressBytes } from "../../codec/ethernet/ethernet.ts";
import { IOService } from "../../runtime/service.ts";
import type { IOUserNetworkPacketBufferPool } from "./io-user-network-packet.ts";
import {
  type IOUserNetworkPacketQueue,
  IOUserNetworkRxCompletionQueue,
  IOUserNetworkRxSubmissionQueue,
  IOUserNetworkTxCompletionQueue,
  IOUserNetworkTxSubmissionQueue,
} from "./io-user-network-packet-queue.ts";
import { kIOUserNetworkMediaEthernetAuto } from "./network-constants.ts";

/** What a driver has registered: one queue of each class, and the pools behind them. */
export interface RegisteredEthernet {
  readonly macAddress: Uint8Array;
  readonly txSubmission: IOUserNetworkTxSubmissionQueue;
  readonly txCompletion: IOUserNetworkTxCompletionQueue;
  readonly rxSubmission: IOUserNetworkRxSubmissionQueue;
  readonly rxCompletion: IOUserNetworkRxCompletionQueue;
  readonly txPool: IOUserNetworkPacketBufferPool;
  readonly rxPool: IOUserNetworkPacketBufferPool;
}

/** The kernel's half of an Ethernet service: who is told when the driver has something to say. */
export interface EthernetKernelSide {
  linkReported(): void;
  /** The service is going away. */
  stopped(): void;
}

const queueCount = 4;

/**
 * A driver subclasses it, makes a pool and four queues in `start`, calls `registerEthernetInterface`, then `registerService`;
 * the interface appears. It overrides `setInterfaceEnable` and the filter calls, all of which run on the default queue.
 *
 * Fidelity: the lower-case generation of calls (driverkit-families.md §4.4). Real systems put a queue of their own under the
 * name "Default" in `Start` (observed, not documented); here "Default" is the service's own.
 */
export class IOUserNetworkEthernet extends IOService {
  #registered: RegisteredEthernet | null = null;
  #kernelSide: EthernetKernelSide | null = null;
  #txHeadroom = 0;
  #linkStatus = 0;
  #media = kIOUserNetworkMediaEthernetAuto;
  #bandwidth = 0;

  /** The kernel's side: called once by the interface that stands on this service. */
  attachKernelSide(side: EthernetKernelSide): void {
    this.#kernelSide = side;
  }

  get registeredEthernet(): RegisteredEthernet | null {
    return this.#registered;
  }

  /** Bytes in front of each frame to send that are the driver's to write a header into. */
  get txPacketHeadroom(): number {
    return this.#txHeadroom;
  }

  get linkStatus(): number {
    return this.#linkStatus;
  }

  get activeMedia(): number {
    return this.#media;
  }

  /** Bits per second as the driver reported them; 0 when it did not. */
  get reportedBandwidth(): number {
    return this.#bandwidth;
  }

  /** Bytes; before registerEthernetInterface. kIOReturnBadArgument when a buffer could not hold a frame behind them. */
  setTxPacketHeadroom(numBytes: number): void {
    if (!Number.isInteger(numBytes) || numBytes < 0 || numBytes > 255)
      throw this.failure(IOReturns.kIOReturnBadArgument, "IOUserNetworkEthernet.setTxPacketHeadroom");
    this.#txHeadroom = numBytes;
  }

  /**
   * Called at the end of `start`. `queues`: exactly four, one of each class, in any order. kIOReturnBadArgument: other queues, an
   * address that no station can have (a group, zeros), or buffers too small for a frame; kIOReturnBusy: called before.
   */
  registerEthernetInterface(
    macAddress: Uint8Array,
    queues: readonly IOUserNetworkPacketQueue[],
    txPool: IOUserNetworkPacketBufferPool,
    rxPool: IOUserNetworkPacketBufferPool,
  ): void {
    const call = "IOUserNetworkEthernet.registerEthernetInterface";
    const bad = (why: string) => this.failure(IOReturns.kIOReturnBadArgument, call, why);
    if (this.#registered !== null) throw this.failure(IOReturns.kIOReturnBusy, call, "it was called before");
    if (queues.length !== queueCount) throw bad(`${queues.length} queues were given, it takes four`);
    const txSubmission = queues.find((queue) => queue instanceof IOUserNetworkTxSubmissionQueue);
    const txCompletion = queues.find((queue) => queue instanceof IOUserNetworkTxCompletionQueue);
    const rxSubmission = queues.find((queue) => queue instanceof IOUserNetworkRxSubmissionQueue);
    const rxCompletion = queues.find((queue) => queue instanceof IOUserNetworkRxCompletionQueue);
    if (!txSubmission || !txCompletion || !rxSubmission || !rxCompletion)
      throw bad("it takes one queue of each of the four classes");
    if (macAddress.length !== macAddressBytes || !isStationAddress(macAddress))
      throw bad("the address is no station's: a group's, or zeros");
    const frame = this.getMaxTransferUnit() + ethernetHeaderBytes;
    if (txPool.bufferSize < frame + this.#txHeadroom || rxPool.bufferSize < frame)
      throw bad(
        `buffers of ${Math.min(txPool.bufferSize, rxPool.bufferSize)} bytes hold no frame of ${frame}`,
      );
    const address = macAddress.slice();
    this.#registered = {
      ...{ macAddress: address, txSubmission, txCompletion, rxSubmission, rxCompletion, txPool, rxPool },
    };
  }

  /** `linkStatus` kIOUserNetworkLinkStatus*, `activeMedia` a media word. At any time, from the driver's queues. */
  reportLinkStatus(linkStatus: number, activeMedia: number): void {
    this.#linkStatus = linkStatus;
    this.#media = activeMedia;
    this.#kernelSide?.linkReported();
  }

  /** Bits per second. */
  reportDataBandwidths(maxInputBandwidth: number, _maxOutputBandwidth: number): void {
    this.#bandwidth = maxInputBandwidth;
    this.#kernelSide?.linkReported();
  }

  /** The stack enables or disables the interface. Pure in Apple's class: a driver without it cannot be used. */
  async setInterfaceEnable(_isEnable: boolean): Promise<void> {
    throw this.failure(IOReturns.kIOReturnUnsupported, "IOUserNetworkEthernet.setInterfaceEnable");
  }

  async setPromiscuousModeEnable(_enable: boolean): Promise<void> {
    throw this.failure(IOReturns.kIOReturnUnsupported, "IOUserNetworkEthernet.setPromiscuousModeEnable");
  }

  async setAllMulticastModeEnable(_enable: boolean): Promise<void> {
    throw this.failure(IOReturns.kIOReturnUnsupported, "IOUserNetworkEthernet.setAllMulticastModeEnable");
  }

  /** Six bytes each; all of them, every time. */
  async setMulticastAddresses(_addresses: readonly Uint8Array[]): Promise<void> {
    throw this.failure(IOReturns.kIOReturnUnsupported, "IOUserNetworkEthernet.setMulticastAddresses");
  }

  /** Bytes of payload in a frame at most. */
  getMaxTransferUnit(): number {
    return 1500;
  }

  /** No checksum or segmentation work is taken from the stack. */
  getHardwareAssists(): number {
    return 0;
  }

  getInitialMedia(): number {
    return kIOUserNetworkMediaEthernetAuto;
  }

  handleChosenMedia(_media: number): IOReturn {
    return IOReturns.kIOReturnSuccess;
  }

  override async stop(provider: IOService): Promise<void> {
    this.#kernelSide?.stopped();
    await super.stop(provider);
  }
}
