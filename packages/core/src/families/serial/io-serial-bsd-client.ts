// IOSerialBSDClient: the kernel's port on top of a serial driver, as programs open it.

import { formatReturn, type IOReturn, IOReturns } from "../../base/io-return.ts";
import { millisecond, second } from "../../base/units.ts";
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

/** A slash and what moves a terminal's cursor. */
const unfitForFiles = /[/\p{Cc}]/gu;

/** What a line may take to move one byte before a close gives up, as Linux's closing_wait, and how often it is looked at. */
const closingWaitNs = 30 * second;
const closingLookNs = 2 * millisecond;

/**
 * Published under the driver when that registers. Implements the serial port contract: data moves through the
 * driver's rings without promises; control calls queue up and run one after the other on the driver's default queue.
 * While any is under way `write` takes nothing, so that settings and bytes keep their order.
 */
export class IOSerialBSDClient extends IOService implements SerialPort, SerialKernelSide {
  readonly #driver: IOUserSerial;
  readonly #machine: Machine;
  #client: SerialClient | null = null;
  readonly #steps: (() => void | Promise<void>)[] = [];
  #isRunning = false;
  #isReady = false;
  #isGone = false;
  #settings: LineSettings = defaultLineSettings;
  /** What the driver has been told; null after it was activated. */
  #programmed: LineSettings | null = null;
  #name = "";
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
    return this.#name;
  }

  /**
   * The family's, once: the driver's name for the port, and a number behind it where another port has that name
   * already. Two devices with one serial number, or none, are ordinary (macOS makes suffixes unique: likely). What cannot
   * stand in a file's name becomes `_`: serial numbers come from the device (what macOS puts there: unknown).
   */
  takeName(isTaken: (name: string) => boolean): void {
    const table = this.#driver.copyProperties();
    const base = table[kIOTTYBaseNameKey];
    const suffix = table[kIOTTYSuffixKey];
    const said = `${typeof base === "string" ? base : "serial"}${typeof suffix === "string" ? suffix : ""}`;
    const wanted = said.replace(unfitForFiles, "_");
    this.#name = wanted;
    for (let number = 2; isTaken(this.#name); number++) this.#name = `${wanted}-${number}`;
  }

  get isOpen(): boolean {
    return this.#client !== null;
  }

  /** The driver has stopped; nothing will ever be opened here again. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** The driver was activated and has all settings. */
  get isReady(): boolean {
    return this.#isReady && this.#steps.length === 0 && !this.#isRunning;
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
    this.#ask("HwActivate", async (driver) => {
      await driver.hwActivate();
      this.#programmed = null;
    });
    this.#ask("HwProgramMCR", (driver) => {
      const isOn = this.#settings.baudRate !== 0;
      return driver.hwProgramMCR(isOn, isOn);
    });
    this.#program();
    this.#ask("HwGetModemStatus", async (driver) => {
      const { cts, dsr, ri, dcd } = await driver.hwGetModemStatus();
      driver.setModemStatus(cts, dsr, ri, dcd);
    });
    this.#then(() => {
      if (this.#client !== client) return;
      this.#isReady = true;
      client.activated?.();
    });
    return null;
  }

  close(): void {
    if (this.#client === null) return;
    this.#client = null;
    this.#isReady = false;
    if (this.#isGone) return;
    this.#discardReceived();
    this.#then(() => this.#sendAll());
    this.#ask("HwProgramMCR", (driver) => driver.hwProgramMCR(false, false));
    this.#ask("HwDeactivate", (driver) => driver.hwDeactivate());
    this.#ask("DisconnectQueues", (driver) => driver.disconnectQueues());
  }

  configure(settings: LineSettings): void {
    if (this.#client === null) return;
    const wasHungUp = this.#settings.baudRate === 0;
    const hangsUp = settings.baudRate === 0;
    this.#settings = settings;
    this.#program();
    if (wasHungUp !== hangsUp) this.setModemControl(!hangsUp, !hangsUp);
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
    if (this.#client === null) {
      this.#discardReceived();
      return;
    }
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
    this.#steps.length = 0;
    const client = this.#client;
    this.#client = null;
    client?.hungUp();
  }

  /** Tells the driver what differs from what is in force, as the settings are when its turn comes. */
  #program(): void {
    const client = this.#client;
    this.#then(async () => {
      const { baudRate, ...rest } = this.#settings;
      const old = this.#programmed;
      // A port that is hung up keeps its rate.
      const settings: LineSettings = { ...rest, baudRate: baudRate || (old ?? defaultLineSettings).baudRate };
      let now = settings;
      if (!isSameLine(settings, old) && !(await this.#callUart(settings))) {
        const { dataBits, parity, halfStopBits } = old ?? defaultLineSettings;
        now = { ...now, baudRate: (old ?? defaultLineSettings).baudRate, dataBits, parity, halfStopBits };
      }
      if (!isSameFlow(settings, old)) {
        const isDone = await this.#call("HwProgramFlowControl", (driver) =>
          driver.hwProgramFlowControl(flowBits(settings), settings.xonByte, settings.xoffByte),
        );
        if (!isDone) {
          const { rtsCts, xonXoff, xonByte, xoffByte } = old ?? defaultLineSettings;
          now = { ...now, rtsCts, xonXoff, xonByte, xoffByte };
        }
      }
      this.#programmed = now;
      if (client !== null && client === this.#client) client.configured?.(now);
    });
  }

  #callUart({ baudRate, dataBits, halfStopBits, parity }: LineSettings): Promise<boolean> {
    return this.#call("HwProgramUART", (driver) =>
      driver.hwProgramUART(baudRate, dataBits, halfStopBits, parityCodes[parity]),
    );
  }

  /** What was written before the close still leaves, while the line moves. */
  async #sendAll(): Promise<void> {
    const { scheduler } = this.#machine;
    const ring = this.#driver.txRing;
    const { baudRate } = this.#programmed ?? defaultLineSettings;
    // A chip's own buffer empties unseen: 4 KiB are allowed for, at the line's rate.
    const unseenNs = closingWaitNs + (4096 * 12 * second) / Math.max(1, baudRate);
    let left = ring.used;
    let giveUpAtNs = scheduler.nowNs() + (left > 0 ? closingWaitNs : unseenNs);
    while (!this.#isGone) {
      if (ring.used < left) {
        left = ring.used;
        giveUpAtNs = scheduler.nowNs() + (left > 0 ? closingWaitNs : unseenNs);
      }
      let isIdle = false;
      if (left === 0) {
        await this.#call("IsTransmitIdle", async (driver) => {
          isIdle = await driver.isTransmitIdle();
        });
      }
      if (isIdle) return;
      if (scheduler.nowNs() >= giveUpAtNs) {
        const what = left > 0 ? `${left} bytes` : "what the device holds";
        this.#machine.log.remark(
          `IOSerialBSDClient: ${this.name}: closed with ${what} unsent: the line took nothing for 30 s`,
          "error",
        );
        return;
      }
      await scheduler.sleep(closingLookNs);
    }
  }

  /** Nobody will read it any more; the driver goes on as if somebody had. */
  #discardReceived(): void {
    this.#driver.rxRing.clear();
    this.#receiveWasFull = false;
    this.#driver.defaultQueue.enqueueCall(this.#driver.rxFreeSpaceAvailableCall, 0, 0, 0);
  }

  #ask(name: string, run: (driver: IOUserSerial) => Promise<void>): void {
    this.#then(async () => {
      await this.#call(name, run);
    });
  }

  /** Runs after everything that was asked before, on a kernel thread. */
  #then(step: () => void | Promise<void>): void {
    this.#steps.push(step);
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#machine.kernelProcess.spawn(`serial ${this.name}`, () => this.#runSteps());
  }

  async #runSteps(): Promise<void> {
    for (let step = this.#steps.shift(); step !== undefined && !this.#isGone; step = this.#steps.shift())
      await step();
    this.#isRunning = false;
    this.#tellWriter();
  }

  /** One call of the driver; false when it refused, which is for the log: no program is told why. */
  async #call(name: string, run: (driver: IOUserSerial) => Promise<void>): Promise<boolean> {
    const { status, why } = await callService(
      this.#machine.scheduler,
      this.#driver,
      name,
      this.#machine.messageDelayNs(),
      () => run(this.#driver),
    );
    if (status === IOReturns.kIOReturnSuccess || this.#isGone) return true;
    this.lastFailure = { call: name, status };
    this.#machine.log.remark(
      `IOSerialBSDClient: ${this.name}: ${name} of ${this.#driver.logName} failed with ${formatReturn(status)}${why === "" ? "" : `: ${why}`}`,
      "error",
    );
    return false;
  }

  #tellWriter(): void {
    if (!this.#writerWaits || !this.isReady || this.#driver.txRing.free === 0) return;
    this.#writerWaits = false;
    this.#client?.writable();
  }
}

function isSameLine(settings: LineSettings, old: LineSettings | null): boolean {
  return (
    settings.baudRate === old?.baudRate &&
    settings.dataBits === old.dataBits &&
    settings.parity === old.parity &&
    settings.halfStopBits === old.halfStopBits
  );
}

function isSameFlow(settings: LineSettings, old: LineSettings | null): boolean {
  return (
    old !== null &&
    flowBits(settings) === flowBits(old) &&
    settings.xonByte === old.xonByte &&
    settings.xoffByte === old.xoffByte
  );
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
  const ports = new Set<IOSerialBSDClient>();
  const isTaken = (name: string): boolean =>
    [...ports].some((port) => port.name === name && !port.isInactive && !port.isGone);
  machine.onGone((service) => {
    if (service instanceof IOSerialBSDClient) ports.delete(service);
  });
  machine.onRegistered((service) => {
    if (!(service instanceof IOUserSerial)) return;
    const port = machine.publish({ kernelClass: "IOSerialBSDClient", provider: service }, (context) => {
      return new IOSerialBSDClient(context, machine, service);
    });
    port.takeName(isTaken);
    ports.add(port);
    port.registryName = "IOSerialBSDClient";
    port.properties.IOCalloutDevice = `/dev/cu.${port.name}`;
    port.properties.IODialinDevice = `/dev/tty.${port.name}`;
    port.registerService();
  });
}
