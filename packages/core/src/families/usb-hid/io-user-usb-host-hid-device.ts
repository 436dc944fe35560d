// IOUserUSBHostHIDDevice: a HID device behind a USB interface. driverkit-families.md §2.5; HID 1.11 §7.

import { DecodeError } from "../../base/errors.ts";
import { type IOReturn, IOReturns } from "../../base/io-return.ts";
import {
  findHidDescriptor,
  HidBootProtocol,
  type HidDescriptor,
  HidDescriptorType,
  HidProtocol,
  HidRequest,
  hidBootSubClass,
  hidIdleUnitMs,
} from "../../codec/hid/hid.ts";
import { maximumReportBytes } from "../../codec/hid-report/report-descriptor.ts";
import type { Properties } from "../../platform/properties.ts";
import type { OSAction } from "../../runtime/action.ts";
import { IOError } from "../../runtime/io-error.ts";
import { type IOMemoryDescriptor, kIOMemoryDirectionIn } from "../../runtime/memory.ts";
import type { IOService } from "../../runtime/service.ts";
import { kIOHIDReportTypeInput, kIOHIDReportTypeOutput, reportIdMask } from "../hid/io-hid-device.ts";
import { IOUserHIDDevice } from "../hid/io-user-hid-device.ts";
import { IOUSBHostInterface } from "../usb/io-usb-host-interface.ts";
import type { IOUSBHostPipe } from "../usb/io-usb-host-pipe.ts";

const classIn = 0xa1;
const classOut = 0x21;
const standardIn = 0x81;
const getDescriptor = 6;
const requestTimeoutMs = 1000;
/** After this many errors in a row the driver reads no more. */
const errorLimit = 8;

/**
 * Reads the interrupt pipe from `start` to `stop` and carries reports both ways. A subclass needs to override nothing.
 * Output reports go out of the interrupt OUT pipe where there is one (HID 1.11 §4.4), all others by control requests.
 */
export class IOUserUSBHostHIDDevice extends IOUserHIDDevice {
  #interface: IOUSBHostInterface | null = null;
  #hid: HidDescriptor | null = null;
  #pipeIn: IOUSBHostPipe | null = null;
  #pipeOut: IOUSBHostPipe | null = null;
  #inputBuffer: IOMemoryDescriptor | null = null;
  #inputAction: OSAction | null = null;
  readonly #idleActions: OSAction[] = [];
  readonly #allActions: OSAction[] = [];
  #errors = 0;
  #isStopping = false;

  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    const status = this.initInputReport();
    if (status !== IOReturns.kIOReturnSuccess)
      throw this.failure(status, "IOUserUSBHostHIDDevice.initInputReport");
  }

  /** Opens the interface, finds descriptor and pipes; report protocol, reports on change only. */
  override async handleStart(provider: IOService): Promise<boolean> {
    if (!(await super.handleStart(provider)) || !(provider instanceof IOUSBHostInterface)) return false;
    await provider.open(this);
    this.#interface = provider;
    const { endpoints, extra } = provider.setting;
    try {
      // HID 1.0 devices have it behind the endpoint.
      this.#hid = findHidDescriptor([...extra, ...endpoints.flatMap((endpoint) => endpoint.extra)]);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.log(`${this.className}: ${error.message}`, "error");
    }
    if (this.#hid === null || this.initPipes() !== IOReturns.kIOReturnSuccess) return false;
    const { bInterfaceSubClass } = provider.getInterfaceDescriptor();
    if (bInterfaceSubClass === hidBootSubClass) await this.#tolerate(this.setProtocol(HidProtocol.report));
    await this.#tolerate(this.setIdle(0));
    return true;
  }

  /** kIOReturnNotFound without an interrupt IN endpoint. */
  initPipes(): IOReturn {
    const usb = this.#interface as IOUSBHostInterface;
    for (const { descriptor } of usb.setting.endpoints) {
      if ((descriptor.bmAttributes & 3) !== 3) continue;
      const pipe = usb.copyPipe(descriptor.bEndpointAddress);
      if ((descriptor.bEndpointAddress & 0x80) !== 0) this.#pipeIn ??= pipe;
      else this.#pipeOut ??= pipe;
    }
    return this.#pipeIn === null ? IOReturns.kIOReturnNotFound : IOReturns.kIOReturnSuccess;
  }

  override async newDeviceDescription(): Promise<Properties> {
    const usb = this.#interface as IOUSBHostInterface;
    const { deviceDescriptor } = usb.device;
    const { bInterfaceProtocol, bInterfaceSubClass } = usb.getInterfaceDescriptor();
    const manufacturer = await this.copyStringAtIndex(deviceDescriptor.iManufacturer);
    const product = await this.copyStringAtIndex(deviceDescriptor.iProduct);
    const serial = await this.copyStringAtIndex(deviceDescriptor.iSerialNumber);
    const isKeyboard =
      bInterfaceSubClass === hidBootSubClass && bInterfaceProtocol === HidBootProtocol.keyboard;
    return {
      Transport: "USB",
      VendorID: deviceDescriptor.idVendor,
      ProductID: deviceDescriptor.idProduct,
      VersionNumber: deviceDescriptor.bcdDevice,
      CountryCode: isKeyboard ? (this.#hid?.bCountryCode ?? 0) : 0,
      LocationID: usb.device.requests.port.locationId,
      ...(manufacturer === "" ? {} : { Manufacturer: manufacturer }),
      ...(product === "" ? {} : { Product: product }),
      ...(serial === "" ? {} : { SerialNumber: serial }),
    };
  }

  /** As the HID descriptor promises it. Rejects like deviceRequest. */
  override async newReportDescriptor(): Promise<Uint8Array> {
    const usb = this.#interface as IOUSBHostInterface;
    const entry = this.#hid?.descriptors.find(({ type }) => type === HidDescriptorType.report);
    if (entry === undefined || entry.length === 0)
      throw this.failure(IOReturns.kIOReturnNotFound, "IOUserUSBHostHIDDevice.newReportDescriptor");
    const buffer = usb.createIOBuffer(kIOMemoryDirectionIn, entry.length);
    try {
      const count = await usb.deviceRequest(
        standardIn,
        getDescriptor,
        HidDescriptorType.report << 8,
        usb.number,
        entry.length,
        buffer,
        requestTimeoutMs,
      );
      return buffer.bytes.slice(0, count);
    } finally {
      buffer.release();
    }
  }

  /** "" for index 0, and for a string that the device refuses. */
  async copyStringAtIndex(index: number, lang?: number): Promise<string> {
    try {
      return await (this.#interface as IOUSBHostInterface).copyStringDescriptor(index, lang);
    } catch (error) {
      if (!(error instanceof IOError) || error.code === IOReturns.kIOReturnNoDevice) throw error;
      return "";
    }
  }

  /** HidProtocol. Rejects like deviceRequest. */
  async setProtocol(protocol: number): Promise<void> {
    await this.#send(HidRequest.setProtocol, protocol);
  }

  /** Milliseconds between repetitions of unchanged reports, 0 for none; in steps of 4 up to 1020. */
  async setIdle(idleTimeMs: number): Promise<void> {
    await this.#send(HidRequest.setIdle, Math.min(255, Math.round(idleTimeMs / hidIdleUnitMs)) << 8);
  }

  /** Begins to read. Whole packets, so that a device which sends more than it said does not babble. */
  initInputReport(): IOReturn {
    const pipe = this.#pipeIn as IOUSBHostPipe;
    const packet = Math.max(1, pipe.descriptor.wMaxPacketSize & 0x7ff);
    const report = Math.max(1, maximumReportBytes(this.reportLayout, "input"));
    const usb = this.#interface as IOUSBHostInterface;
    this.#inputBuffer = usb.createIOBuffer(kIOMemoryDirectionIn, Math.ceil(report / packet) * packet);
    this.#inputAction = this.createAction("completeInputReport", (action, status, count, time) =>
      this.completeInputReport(action, status, count, time),
    );
    this.#allActions.push(this.#inputAction);
    return this.#read();
  }

  completeInputReport(
    _action: OSAction,
    status: IOReturn,
    actualByteCount: number,
    completionTimestamp: number,
  ): void | Promise<void> {
    const buffer = this.#inputBuffer;
    if (this.#isStopping || buffer === null) return;
    if (status === IOReturns.kIOReturnSuccess) {
      this.#errors = 0;
      if (actualByteCount > 0)
        this.handleReport(completionTimestamp, buffer, actualByteCount, kIOHIDReportTypeInput);
      this.#read();
      return;
    }
    return this.#recover(status);
  }

  /** By control request. The interrupt pipe is not asked: its reports come by themselves. */
  override getReport(
    report: IOMemoryDescriptor,
    reportType: number,
    options: number,
    completionTimeout: number,
    action: OSAction,
  ): IOReturn {
    return this.#carry(action, (completion) =>
      (this.#interface as IOUSBHostInterface).asyncDeviceRequest(
        classIn,
        HidRequest.getReport,
        ((reportType + 1) << 8) | (options & reportIdMask),
        (this.#interface as IOUSBHostInterface).number,
        report.length,
        report,
        completion,
        completionTimeout,
      ),
    );
  }

  override setReport(
    report: IOMemoryDescriptor,
    reportType: number,
    options: number,
    completionTimeout: number,
    action: OSAction,
  ): IOReturn {
    const pipe = this.#pipeOut;
    if (pipe !== null && reportType === kIOHIDReportTypeOutput)
      return this.#carry(action, (completion) => pipe.asyncIO(report, report.length, completion));
    return this.#carry(action, (completion) =>
      (this.#interface as IOUSBHostInterface).asyncDeviceRequest(
        classOut,
        HidRequest.setReport,
        ((reportType + 1) << 8) | (options & reportIdMask),
        (this.#interface as IOUSBHostInterface).number,
        report.length,
        report,
        completion,
        completionTimeout,
      ),
    );
  }

  /** Aborts, waits for every cancel handler, closes, then tells the superclass. */
  override async stop(provider: IOService): Promise<void> {
    this.#isStopping = true;
    await this.#pipeIn?.abort();
    await this.#pipeOut?.abort();
    this.#interface?.abortDeviceRequests();
    const finish = () => {
      this.#interface?.close(this);
      this.#inputBuffer?.release();
      this.#inputBuffer = null;
      return super.stop(provider);
    };
    let waiting = this.#allActions.length;
    if (waiting === 0) {
      await finish();
      return;
    }
    for (const action of this.#allActions) {
      action.cancel(() => {
        waiting--;
        if (waiting === 0) this.defaultQueue.dispatchAsync(finish);
      });
    }
  }

  #read(): IOReturn {
    const buffer = this.#inputBuffer as IOMemoryDescriptor;
    return (this.#pipeIn as IOUSBHostPipe).asyncIO(buffer, buffer.length, this.#inputAction as OSAction);
  }

  /** Starts a transfer whose end is the end of `outer`. Completions are used again. */
  #carry(outer: OSAction, submit: (completion: OSAction) => IOReturn): IOReturn {
    if (this.#isStopping || this.#interface === null) return IOReturns.kIOReturnNotReady;
    const completion = this.#idleActions.pop() ?? this.#newCompletion();
    completion.reference = outer;
    const status = submit(completion);
    if (status !== IOReturns.kIOReturnSuccess) this.#idleActions.push(completion);
    return status;
  }

  #newCompletion(): OSAction {
    const completion = this.createAction("completeOutputReport", (own, status, count) => {
      this.#idleActions.push(own);
      this.completeReport(own.reference as OSAction, status, count);
    });
    this.#allActions.push(completion);
    return completion;
  }

  async #send(bRequest: number, wValue: number): Promise<void> {
    const usb = this.#interface as IOUSBHostInterface;
    await usb.deviceRequest(classOut, bRequest, wValue, usb.number, 0, null, requestTimeoutMs);
  }

  /** Many devices have no idle rate and no protocols: a refusal is not an error. */
  async #tolerate(request: Promise<void>): Promise<void> {
    try {
      await request;
    } catch (error) {
      if (!(error instanceof IOError) || error.code === IOReturns.kIOReturnNoDevice) throw error;
    }
  }

  /** A vanished device is Stop's business; a halt is cleared, with patience that ends. */
  async #recover(status: IOReturn): Promise<void> {
    const pipe = this.#pipeIn;
    if (pipe === null || status === IOReturns.kIOReturnNoDevice) return;
    this.#errors++;
    if (this.#errors >= errorLimit) {
      this.log(`${this.className}: ${errorLimit} transfer errors in a row, giving up`, "error");
      return;
    }
    if (status !== IOReturns.kIOReturnAborted) {
      try {
        await pipe.clearStall(true);
      } catch (error) {
        if (!(error instanceof IOError)) throw error;
        return;
      }
    }
    if (!this.#isStopping) this.#read();
  }
}
