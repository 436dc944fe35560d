// IOSerialBSDClient: the kernel's port on top of a serial driver, as programs open it.

import { type IOReturn, IOReturns } from "../../base/io-return.ts";
import {
  defaultLineSettings,
  type LineSettings,
  type ModemStatus,
  type ReceiveErrors,
  type SerialClient,
  type SerialPort,
} from "../../ports/serial.ts";
import type { Machine } from "../../runtime/machine.ts";
import { IOService, type ServiceContext } from "../../runtime/service.ts";
import { callService } from "../../runtime/service-call.ts";
import {
  IOUserSerial,
  kIOTTYBaseNameKey,
  kIOTTYSuffixKey,
  PD_RS232_A_CTS,
  PD_RS232_A_RFR,
  PD_RS232_A_RXO,
  PD_RS232_A_TXO,
  PD_RS232_PARITY_EVEN,
  PD_RS232_PARITY_MARK,
  PD_RS232_PARITY_NONE,
  PD_RS232_PARITY_ODD,
  PD_RS232_PARITY_SPACE,
  type SerialKernelSide,
} from "./io-user-serial.ts";

const parityCodes = {
  none: PD_RS232_PARITY_NONE,
  odd: PD_RS232_PARITY_ODD,
  even: PD_RS232_PARITY_EVEN,
  mark: PD_RS232_PARITY_MARK,
  space: PD_RS232_PARITY_SPACE,
} as const;

/** One thing to be asked of the driver, in order. */
type Operation = { readonly name: string; run(driver: IOUserSerial): Promise<void> };

/**
 * Published under the driver when that registers. Implements the serial port contract: data moves through the
 * driver's rings without promises; control calls queue up and run one after the other on the driver's default queue.
 * While any is under way `write` takes nothing, so that settings and bytes keep their order.
 */
export class IOSerialBSDClient extends IOService implements SerialPort, SerialKernelSide {
  readonly #driver: IOUserSerial;
  readonly #machine: Machine;
  #client: SerialClient | null = null;
  readonly #operations: Operation[] = [];
  #isRunning = false;
  #isReady = false;
  #isGone = false;
  #settings: LineSettings = defaultLineSettings;
  #writerWaits = false;
  #readerTold = false;
  #transmitTold = false;
  #receiveWasFull = false;
  /** The last refusal of the driver, for people: "HwProgramUART failed with ...". */
  lastFailure: { readonly call: string; readonly status: IOReturn } | null = null;

  constructor(context: ServiceContext, machine: Machine, driver: IOUserSerial) {
    super(context);
    this.#machine = machine;
    this.#driver = driver;
    driver.attachKernelSide(this);
  }

  get name(): string {
    const table = this.#driver.copyProperties();
    const base = table[kIOTTYBaseNameKey];
    const suffix = table[kIOTTYSuffixKey];
    return `${typeof base === "string" ? base : "serial"}${typeof suffix === "string" ? suffix : ""}`;
  }

  get isOpen(): boolean {
    return this.#client !== null;
  }

  /** The driver was activated and has all settings. */
  get isReady(): boolean {
    return this.#isReady && this.#operations.length === 0 && !this.#isRunning;
  }

  get transmitPending(): number {
    return this.#driver.txRing.used;
  }

  open(client: SerialClient): string | null {
    if (this.#isGone) return "the port is gone";
    if (this.#client !== null) return "the port is open already";
    this.#client = client;
    this.#writerWaits = false;
    this.#readerTold = false;
    this.#transmitTold = false;
    this.#receiveWasFull = false;
    this.#settings = defaultLineSettings;
    this.#ask("ConnectQueues", (driver) => driver.connectQueues());
    this.#ask("HwActivate", (driver) => driver.hwActivate());
    this.#ask("HwProgramMCR", (driver) => driver.hwProgramMCR(true, true));
    this.#program(this.#settings, null);
    this.#ask("HwGetModemStatus", async (driver) => {
      const { cts, dsr, ri, dcd } = await driver.hwGetModemStatus();
      driver.setModemStatus(cts, dsr, ri, dcd);
      this.#isReady = true;
    });
    return null;
  }

  close(): void {
    if (this.#client === null) return;
    this.#client = null;
    this.#isReady = false;
    if (this.#isGone) return;
    this.#ask("HwProgramMCR", (driver) => driver.hwProgramMCR(false, false));
    this.#ask("HwDeactivate", (driver) => driver.hwDeactivate());
    this.#ask("DisconnectQueues", (driver) => driver.disconnectQueues());
  }

  configure(settings: LineSettings): void {
    if (this.#client === null) return;
    this.#program(settings, this.#settings);
    this.#settings = settings;
  }

  setModemControl(dtr: boolean, rts: boolean): void {
    if (this.#client !== null) this.#ask("HwProgramMCR", (driver) => driver.hwProgramMCR(dtr, rts));
  }

  setBreak(on: boolean): void {
    if (this.#client !== null) this.#ask("HwSendBreak", (driver) => driver.hwSendBreak(on));
  }

  flush(transmit: boolean, receive: boolean): void {
    if (this.#client === null) return;
    if (transmit) this.#driver.txRing.clear();
    if (receive) {
      this.#driver.rxRing.clear();
      this.#readerTold = false;
    }
    this.#ask("HwResetFIFO", (driver) => driver.hwResetFIFO(transmit, receive));
  }

  modemStatus(): ModemStatus {
    return this.#driver.modemStatus;
  }

  write(bytes: Uint8Array, offset: number, length: number): number {
    if (this.#client === null || this.#isGone) return 0;
    if (!this.isReady) {
      this.#writerWaits = true;
      return 0;
    }
    const ring = this.#driver.txRing;
    const taken = ring.push(bytes, offset, length);
    if (taken < length) this.#writerWaits = true;
    if (taken > 0 && !this.#transmitTold) {
      this.#transmitTold = true;
      this.#driver.defaultQueue.enqueueCall(this.#driver.txDataAvailableCall, 0, 0, 0);
    }
    return taken;
  }

  read(into: Uint8Array, offset: number, length: number): number {
    const ring = this.#driver.rxRing;
    const taken = ring.pull(into, offset, length);
    if (ring.used === 0) this.#readerTold = false;
    if (taken > 0 && this.#receiveWasFull && ring.free * 2 >= ring.capacity) {
      this.#receiveWasFull = false;
      this.#driver.defaultQueue.enqueueCall(this.#driver.rxFreeSpaceAvailableCall, 0, 0, 0);
    }
    return taken;
  }

  rxDataAvailable(): void {
    const ring = this.#driver.rxRing;
    if (ring.free * 2 < ring.capacity) this.#receiveWasFull = true;
    if (this.#readerTold || ring.used === 0) return;
    this.#readerTold = true;
    this.#client?.readable();
  }

  txFreeSpaceAvailable(): void {
    this.#transmitTold = false;
    if (this.#driver.txRing.used > 0) {
      this.#transmitTold = true;
      this.#driver.defaultQueue.enqueueCall(this.#driver.txDataAvailableCall, 0, 0, 0);
    }
    this.#tellWriter();
  }

  rxError(errors: ReceiveErrors): void {
    this.#client?.receiveError(errors);
  }

  modemStatusChanged(status: ModemStatus): void {
    this.#client?.modemChanged(status);
  }

  /** The driver stops: programs see a hang-up, once. */
  stopped(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#operations.length = 0;
    const client = this.#client;
    this.#client = null;
    client?.hungUp();
  }

  #program(settings: LineSettings, old: LineSettings | null): void {
    const lineChanged =
      old === null ||
      old.baudRate !== settings.baudRate ||
      old.dataBits !== settings.dataBits ||
      old.parity !== settings.parity ||
      old.halfStopBits !== settings.halfStopBits;
    if (lineChanged) {
      this.#ask("HwProgramUART", (driver) =>
        driver.hwProgramUART(
          settings.baudRate,
          settings.dataBits,
          settings.halfStopBits,
          parityCodes[settings.parity],
        ),
      );
    }
    const flow = flowBits(settings);
    const flowChanged =
      old === null ||
      flow !== flowBits(old) ||
      old.xonByte !== settings.xonByte ||
      old.xoffByte !== settings.xoffByte;
    if (flowChanged) {
      this.#ask("HwProgramFlowControl", (driver) =>
        driver.hwProgramFlowControl(flow, settings.xonByte, settings.xoffByte),
      );
    }
  }

  #ask(name: string, run: (driver: IOUserSerial) => Promise<void>): void {
    this.#operations.push({ name, run });
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#machine.kernelProcess.spawn(`serial ${this.name}`, () => this.#runOperations());
  }

  async #runOperations(): Promise<void> {
    for (;;) {
      const operation = this.#operations.shift();
      if (operation === undefined || this.#isGone) break;
      const { status } = await callService(
        this.#machine.scheduler,
        this.#driver,
        operation.name,
        this.#machine.messageDelayNs(),
        () => operation.run(this.#driver),
      );
      if (status !== IOReturns.kIOReturnSuccess) this.lastFailure = { call: operation.name, status };
    }
    this.#isRunning = false;
    this.#tellWriter();
  }

  #tellWriter(): void {
    if (!this.#writerWaits || !this.isReady || this.#driver.txRing.free === 0) return;
    this.#writerWaits = false;
    this.#client?.writable();
  }
}

function flowBits(settings: LineSettings): number {
  const hardware = settings.rtsCts ? PD_RS232_A_CTS | PD_RS232_A_RFR : 0;
  const software = settings.xonXoff ? PD_RS232_A_TXO | PD_RS232_A_RXO : 0;
  return hardware | software;
}

/**
 * The serial family of a machine: each IOUserSerial that registers gets its IOSerialBSDClient, which then registers
 * too. Outlets find ports with `machine.onRegistered`.
 */
export function installSerialFamily(machine: Machine): void {
  machine.onRegistered((service) => {
    if (!(service instanceof IOUserSerial)) return;
    const port = machine.publish({ kernelClass: "IOSerialBSDClient", provider: service }, (context) => {
      return new IOSerialBSDClient(context, machine, service);
    });
    port.registryName = "IOSerialBSDClient";
    port.properties.IOCalloutDevice = `/dev/cu.${port.name}`;
    port.properties.IODialinDevice = `/dev/tty.${port.name}`;
    port.registerService();
  });
}
