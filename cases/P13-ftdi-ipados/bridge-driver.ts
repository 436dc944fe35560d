// P13: a plain FTDI driver for iPadOS: bulk pipes below, a user client above, no serial family.

import { ByteRing } from "@drydock/core/base/byte-ring";
import { IOReturns } from "@drydock/core/base/io-return";
import { FtdiRequest, FtdiReset, ftdiDivisor } from "@drydock/core/codec/ftdi/ftdi";
import type { IOUSBHostInterface } from "@drydock/core/families/usb/io-usb-host-interface";
import type { IOUSBHostPipe } from "@drydock/core/families/usb/io-usb-host-pipe";
import type { OSAction } from "@drydock/core/runtime/action";
import type { DriverBundle } from "@drydock/core/runtime/driver-bundle";
import {
  type IOBufferMemoryDescriptor,
  kIOMemoryDirectionIn,
  kIOMemoryDirectionOut,
} from "@drydock/core/runtime/memory";
import { IOService, type ServiceClass } from "@drydock/core/runtime/service";
import {
  IOUserClient,
  type IOUserClientMethodArguments,
  type IOUserClientMethodDispatch,
  kIOUserClientVariableStructureSize,
} from "@drydock/core/runtime/user-client";

const vendorOut = 0x40;
const timeoutMs = 1000;
/** Reads are a whole number of packets. */
const readBytes = 1024;
const writeBytes = 512;

/** Selectors of the user client. */
export const bridgeSelector = { setBaud: 0, write: 1, read: 2 } as const;

/**
 * Opens the interface, resets the chip, keeps one read under way, and lends its two rings to the user client.
 * Subclasses differ in `stripStatus`: which bytes of a transfer are data.
 */
export abstract class FtdiBridgeDriver extends IOService {
  readonly received = new ByteRing(16);
  readonly #toSend = new ByteRing(14);
  #usb: IOUSBHostInterface | null = null;
  #bulkIn: IOUSBHostPipe | null = null;
  #bulkOut: IOUSBHostPipe | null = null;
  #readBuffer: IOBufferMemoryDescriptor | null = null;
  #writeBuffer: IOBufferMemoryDescriptor | null = null;
  #readAction: OSAction | null = null;
  #writeAction: OSAction | null = null;
  #isWriting = false;
  #isReading = false;
  protected packetBytes = 64;

  /** Data bytes of `buffer[0 .. length)`, moved to the front; answers how many. */
  protected abstract stripStatus(buffer: Uint8Array, length: number): number;

  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    const usb = provider as IOUSBHostInterface;
    this.#usb = usb;
    await usb.open(this);
    this.#bulkIn = usb.copyPipe(0x81);
    this.#bulkOut = usb.copyPipe(0x02);
    this.packetBytes = this.#bulkIn.descriptor.wMaxPacketSize & 0x7ff;
    this.#readBuffer = usb.createIOBuffer(kIOMemoryDirectionIn, readBytes);
    this.#writeBuffer = usb.createIOBuffer(kIOMemoryDirectionOut, writeBytes);
    this.#readAction = this.createAction("readComplete", (_action, status, length) =>
      this.#readDone(status, length),
    );
    this.#writeAction = this.createAction("writeComplete", (_action, status) => this.#writeDone(status));
    await this.#request(FtdiRequest.reset, FtdiReset.all);
    await this.#request(FtdiRequest.setLatency, 16);
    this.#read();
    this.registerService();
  }

  override async stop(provider: IOService): Promise<void> {
    await this.#bulkIn?.abort();
    await this.#bulkOut?.abort();
    let waiting = 2;
    const cancelled = () => {
      waiting--;
      if (waiting > 0) return;
      this.defaultQueue.dispatchAsync(async () => {
        this.#usb?.close(this);
        await super.stop(provider);
      });
    };
    this.#readAction?.cancel(cancelled);
    this.#writeAction?.cancel(cancelled);
  }

  override async newUserClient(_type: number): Promise<IOUserClient> {
    return this.create(this, "UserClientProperties") as IOUserClient;
  }

  async setBaud(baudRate: number): Promise<number> {
    const divisor = ftdiDivisor(baudRate);
    if (divisor === null) return IOReturns.kIOReturnBadArgument;
    await this.#usb?.deviceRequest(
      vendorOut,
      FtdiRequest.setBaud,
      divisor.value,
      divisor.high,
      0,
      null,
      timeoutMs,
    );
    return IOReturns.kIOReturnSuccess;
  }

  /** Takes what fits and starts sending. */
  send(bytes: Uint8Array): number {
    const taken = this.#toSend.push(bytes, 0, bytes.length);
    this.#write();
    return taken;
  }

  #read(): void {
    if (this.#isReading || this.#bulkIn === null || this.received.free < readBytes) return;
    const status = this.#bulkIn.asyncIO(
      this.#readBuffer as IOBufferMemoryDescriptor,
      readBytes,
      this.#readAction as OSAction,
    );
    this.#isReading = status === IOReturns.kIOReturnSuccess;
  }

  #readDone(status: number, length: number): void {
    this.#isReading = false;
    if (status !== IOReturns.kIOReturnSuccess) return;
    const { bytes } = this.#readBuffer as IOBufferMemoryDescriptor;
    const kept = this.stripStatus(bytes, length);
    this.received.push(bytes, 0, kept);
    this.#read();
  }

  /** The user client has made room. */
  roomAgain(): void {
    this.#read();
  }

  #write(): void {
    if (this.#isWriting || this.#bulkOut === null || this.#toSend.used === 0) return;
    const buffer = this.#writeBuffer as IOBufferMemoryDescriptor;
    const length = this.#toSend.pull(buffer.bytes, 0, writeBytes);
    this.#isWriting =
      this.#bulkOut.asyncIO(buffer, length, this.#writeAction as OSAction) === IOReturns.kIOReturnSuccess;
  }

  #writeDone(status: number): void {
    this.#isWriting = false;
    if (status === IOReturns.kIOReturnSuccess) this.#write();
  }

  async #request(bRequest: number, wValue: number): Promise<void> {
    await this.#usb?.deviceRequest(vendorOut, bRequest, wValue, 0, 0, null, timeoutMs);
  }
}

const anySize = kIOUserClientVariableStructureSize;
const row = (
  checks: Partial<IOUserClientMethodDispatch> & Pick<IOUserClientMethodDispatch, "function">,
): IOUserClientMethodDispatch => ({
  checkCompletionExists: false,
  checkScalarInputCount: 0,
  checkStructureInputSize: 0,
  checkScalarOutputCount: 0,
  checkStructureOutputSize: 0,
  ...checks,
});

const methods: readonly IOUserClientMethodDispatch[] = [
  row({
    checkScalarInputCount: 1,
    function: (target, _reference, call) =>
      (target as FtdiBridgeUserClient).driver.setBaud(call.scalarInput[0]),
  }),
  row({
    checkStructureInputSize: anySize,
    checkScalarOutputCount: 1,
    function: (target, _reference, call) => {
      const bytes = call.structureInput ?? call.structureInputDescriptor?.bytes ?? new Uint8Array(0);
      call.scalarOutput[0] = (target as FtdiBridgeUserClient).driver.send(bytes);
      return IOReturns.kIOReturnSuccess;
    },
  }),
  row({
    checkStructureOutputSize: anySize,
    function: (target, _reference, call) => {
      const { driver } = target as FtdiBridgeUserClient;
      const bytes = new Uint8Array(Math.min(driver.received.used, call.structureOutputMaximumSize));
      driver.received.pull(bytes, 0, bytes.length);
      call.structureOutput = bytes;
      driver.roomAgain();
      return IOReturns.kIOReturnSuccess;
    },
  }),
];

export class FtdiBridgeUserClient extends IOUserClient {
  get driver(): FtdiBridgeDriver {
    return this.provider as FtdiBridgeDriver;
  }

  override externalMethod(selector: number, methodArguments: IOUserClientMethodArguments): Promise<number> {
    return super.externalMethod(selector, methodArguments, methods[selector] ?? null, this);
  }
}

/** Out-matches the system's driver: 90000 against its 89999. */
export function bridgeBundle(name: string, cls: ServiceClass): DriverBundle {
  const identifier = `org.drydock.case.p13.${name}`;
  return {
    identifier,
    version: "1",
    teamIdentifier: "CASE000013",
    entitlements: {
      "com.apple.developer.driverkit": true,
      "com.apple.developer.driverkit.transport.usb": [{ idVendor: 0x0403, idProduct: 0x6001 }],
    },
    personalities: {
      FTDIBridge: {
        CFBundleIdentifier: identifier,
        IOClass: "IOUserService",
        IOUserClass: "FtdiBridge",
        IOUserServerName: identifier,
        IOProviderClass: "IOUSBHostInterface",
        idVendor: 0x0403,
        idProduct: 0x6001,
        bConfigurationValue: 1,
        bInterfaceNumber: 0,
        UserClientProperties: { IOClass: "IOUserUserClient", IOUserClass: "FtdiBridgeUserClient" },
      },
    },
    classes: { FtdiBridge: cls, FtdiBridgeUserClient },
  };
}
