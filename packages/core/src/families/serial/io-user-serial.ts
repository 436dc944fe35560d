// IOUserSerial: the base class of serial drivers, with the calls the kernel makes on them.

import { ByteRing } from "../../base/byte-ring.ts";
import { IOReturns } from "../../base/io-return.ts";
import type { ModemStatus, ReceiveErrors } from "../../ports/serial.ts";
import type { QueuedCall } from "../../runtime/dispatch-queue.ts";
import { IOService, type ServiceContext } from "../../runtime/service.ts";

/** Drivers name it too, and see only the family. */
export type { ModemStatus } from "../../ports/serial.ts";

export const kIOTTYBaseNameKey = "IOTTYBaseName";
export const kIOTTYSuffixKey = "IOTTYSuffix";

/** Parity codes of HwProgramUART. */
export const PD_RS232_PARITY_NONE = 1;
export const PD_RS232_PARITY_ODD = 2;
export const PD_RS232_PARITY_EVEN = 3;
export const PD_RS232_PARITY_MARK = 4;
export const PD_RS232_PARITY_SPACE = 5;

/** Bits of HwProgramFlowControl's argument. */
export const PD_RS232_A_RFR = 0x004;
export const PD_RS232_A_TXO = 0x008;
export const PD_RS232_A_RXO = 0x010;
export const PD_RS232_A_CTS = 0x020;

/** Ring sizes when the driver supplies none: 16 KiB each way. */
const defaultRingLog = 14;

/** The kernel's half of a serial service: who is told when the driver has done something. */
export interface SerialKernelSide {
  rxDataAvailable(): void;
  txFreeSpaceAvailable(): void;
  rxError(errors: ReceiveErrors): void;
  modemStatusChanged(status: ModemStatus): void;
  /** The service is going away. */
  stopped(): void;
}

/**
 * A driver subclasses it and overrides `hwActivate` ... `hwSendBreak`, `txDataAvailable` and `rxFreeSpaceAvailable`.
 * All of these run on the service's default queue (driverkit-families.md §3; the queue is not documented: likely).
 * The driver moves bytes between its device and `txRing`/`rxRing` and calls `txFreeSpaceAvailable`,
 * `rxDataAvailable`, `rxError`, `setModemStatus`.
 */
export class IOUserSerial extends IOService {
  /** Made when first asked for: most services are opened with rings of their own before anybody looks. */
  #rxRing: ByteRing | null = null;
  #txRing: ByteRing | null = null;
  #kernelSide: SerialKernelSide | null = null;
  #modem: ModemStatus = { cts: false, dsr: false, ri: false, dcd: false };

  /** Prepared so that a notification from the kernel costs no closure. */
  readonly txDataAvailableCall: QueuedCall;
  readonly rxFreeSpaceAvailableCall: QueuedCall;

  constructor(context: ServiceContext) {
    super(context);
    this.txDataAvailableCall = {
      symbol: `${this.className}::TxDataAvailable_Impl`,
      run: () => this.txDataAvailable(),
    };
    this.rxFreeSpaceAvailableCall = {
      symbol: `${this.className}::RxFreeSpaceAvailable_Impl`,
      run: () => this.rxFreeSpaceAvailable(),
    };
  }

  /** Filled by the driver, emptied by the kernel. */
  get rxRing(): ByteRing {
    this.#rxRing ??= new ByteRing(defaultRingLog);
    return this.#rxRing;
  }

  /** Filled by the kernel, emptied by the driver. */
  get txRing(): ByteRing {
    this.#txRing ??= new ByteRing(defaultRingLog);
    return this.#txRing;
  }

  /** The kernel's side: called once by the port that stands on this service. */
  attachKernelSide(side: SerialKernelSide): void {
    this.#kernelSide = side;
  }

  /** Application opens: fresh rings. An override may choose other sizes and must call super. */
  async connectQueues(rxLogSize = defaultRingLog, txLogSize = defaultRingLog): Promise<void> {
    this.#rxRing = new ByteRing(rxLogSize);
    this.#txRing = new ByteRing(txLogSize);
  }

  /** Rings that are not this class's own: a driver whose memory is another (a C++ dext's) has them there. */
  protected useRings(rxRing: ByteRing, txRing: ByteRing): void {
    this.#rxRing = rxRing;
    this.#txRing = txRing;
  }

  async disconnectQueues(): Promise<void> {
    this.#rxRing?.clear();
    this.#txRing?.clear();
  }

  /** Start the hardware: call super first. */
  async hwActivate(): Promise<void> {}

  /** Stop the hardware: call super last. */
  async hwDeactivate(): Promise<void> {}

  /** `halfStopBits` 2, 3 or 4; `parity` PD_RS232_PARITY_*. */
  async hwProgramUART(
    _baudRate: number,
    _dataBits: number,
    _halfStopBits: number,
    _parity: number,
  ): Promise<void> {
    throw this.failure(IOReturns.kIOReturnUnsupported, "IOUserSerial.hwProgramUART");
  }

  async hwProgramBaudRate(_baudRate: number): Promise<void> {
    throw this.failure(IOReturns.kIOReturnUnsupported, "IOUserSerial.hwProgramBaudRate");
  }

  /** `flow`: PD_RS232_A_* bits; the characters of XON/XOFF. */
  async hwProgramFlowControl(_flow: number, _xon: number, _xoff: number): Promise<void> {}

  async hwProgramMCR(_dtr: boolean, _rts: boolean): Promise<void> {}

  async hwGetModemStatus(): Promise<ModemStatus> {
    return this.#modem;
  }

  async hwResetFIFO(_tx: boolean, _rx: boolean): Promise<void> {}

  async hwSendBreak(_on: boolean): Promise<void> {}

  /** Milliseconds. */
  async hwProgramLatencyTimer(_latencyMs: number): Promise<void> {}

  /**
   * Whether everything that was taken from the transmit ring has left the device, as far as the driver can know. Asked
   * at close, again and again, while the answer is no. Drydock's own: the family documents no such call; what macOS
   * waits for beyond the ring is unknown.
   */
  async isTransmitIdle(): Promise<boolean> {
    return true;
  }

  /** The kernel put bytes into the transmit ring. */
  txDataAvailable(): void | Promise<void> {}

  /** There is room in the receive ring again after it was full. */
  rxFreeSpaceAvailable(): void | Promise<void> {}

  /** Driver -> kernel: the transmit ring has room again. */
  txFreeSpaceAvailable(): void {
    this.#kernelSide?.txFreeSpaceAvailable();
  }

  /** Driver -> kernel: bytes were put into the receive ring. */
  rxDataAvailable(): void {
    this.#kernelSide?.rxDataAvailable();
  }

  rxError(overrun: boolean, gotBreak: boolean, framingError: boolean, parityError: boolean): void {
    this.#kernelSide?.rxError({ overrun, gotBreak, framing: framingError, parity: parityError });
  }

  setModemStatus(cts: boolean, dsr: boolean, ri: boolean, dcd: boolean): void {
    const old = this.#modem;
    if (old.cts === cts && old.dsr === dsr && old.ri === ri && old.dcd === dcd) return;
    this.#modem = { cts, dsr, ri, dcd };
    this.#kernelSide?.modemStatusChanged(this.#modem);
  }

  get modemStatus(): ModemStatus {
    return this.#modem;
  }

  override async stop(provider: IOService): Promise<void> {
    this.#kernelSide?.stopped();
    await super.stop(provider);
  }
}
