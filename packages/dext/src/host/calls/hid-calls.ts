// HIDDriverKit: what a HID device of a dext calls, and what the family asks it for.

import { type IOReturn, IOReturns } from "@drydock/core/base/io-return";
import { IOHIDDevice } from "@drydock/core/families/hid/io-hid-device";
import { IOUserHIDDevice } from "@drydock/core/families/hid/io-user-hid-device";
import { IOUserUSBHostHIDDevice } from "@drydock/core/families/usb-hid/io-user-usb-host-hid-device";
import { isDictionary, type Properties } from "@drydock/core/platform/properties";
import { OSAction } from "@drydock/core/runtime/action";
import { IOError } from "@drydock/core/runtime/io-error";
import type { IOMemoryDescriptor } from "@drydock/core/runtime/memory";
import type { IOService } from "@drydock/core/runtime/service";
import type { CxxMethod } from "../class-records.ts";
import type { CxxProcess, HostCalls } from "../cxx-process.ts";
import type { Hook } from "../hook.ts";
import { callsOf, plain, plainWaiting, status, statusWaiting, surely } from "./host-call.ts";
import { descriptor, flushMirror, refreshMirror } from "./memory-calls.ts";
import { service } from "./service-calls.ts";

/** An object that a method of the dext's made, as a value; null when it made none. Its reference is given up. */
async function made(cxx: CxxProcess, method: CxxMethod, device: IOService): Promise<unknown> {
  const at = Number(await cxx.run(method.thunk, cxx.addressOf(device)));
  if (at === 0) return null;
  const value = cxx.objectToValue(at);
  cxx.release(at);
  return value;
}

/** Memory that a getReport under way fills, by its action. */
const filled = new WeakMap<OSAction, IOMemoryDescriptor>();

/** A report asked for or sent by somebody above: the driver answers a status, and completes later. */
const reportHook = (name: "getReport" | "setReport", introducer: string): Hook => ({
  cxx: `${introducer}.${name}`,
  method: name,
  run: async (
    cxx,
    method,
    device,
    report: IOMemoryDescriptor,
    type: number,
    options: number,
    timeoutMs: number,
    action: OSAction,
  ): Promise<IOReturn> => {
    refreshMirror(cxx, report);
    if (name === "getReport") filled.set(action, report);
    const answer = await cxx.run(
      method.thunk,
      cxx.addressOf(device),
      cxx.addressOf(report, "IOMemoryDescriptor"),
      type,
      options,
      timeoutMs,
      cxx.addressOf(action, "OSAction"),
    );
    if (name === "getReport") flushMirror(cxx, report);
    return (Number(answer) >>> 0) as IOReturn;
  },
});

const startHook: Hook["run"] = async (cxx, method, device, provider: IOService): Promise<boolean> =>
  Number(await cxx.run(method.thunk, cxx.addressOf(device), cxx.addressOf(provider))) !== 0;

export const hidHooks: readonly Hook[] = [
  { cxx: "IOUserHIDDevice.handleStart", method: "handleStart", run: startHook },
  {
    cxx: "IOUserHIDDevice.newDeviceDescription",
    method: "newDeviceDescription",
    run: async (cxx, method, device): Promise<Properties> => {
      const value = await made(cxx, method, device);
      return isDictionary(value as never) ? (value as Properties) : {};
    },
  },
  {
    cxx: "IOUserHIDDevice.newReportDescriptor",
    method: "newReportDescriptor",
    run: async (cxx, method, device): Promise<Uint8Array> => {
      const value = await made(cxx, method, device);
      return value instanceof Uint8Array ? value : new Uint8Array(0);
    },
  },
  reportHook("getReport", "IOHIDDevice"),
  reportHook("setReport", "IOHIDDevice"),
];

function hidDevice(cxx: CxxProcess, self: number): IOUserHIDDevice | null {
  return cxx.hostAs(self, IOUserHIDDevice);
}

const above = (cxx: CxxProcess, host: IOService): IOUserHIDDevice =>
  cxx.baseOf(host).prototype as IOUserHIDDevice;

/** What Apple's own class answers, asked of the object that the dext's class derives from it. */
const startRow = statusWaiting(async (cxx, self: number, provider: number) => {
  const device = hidDevice(cxx, self);
  if (device === null) return IOReturns.kIOReturnBadArgument;
  await above(cxx, device).start.call(device, service(cxx, provider));
  return undefined;
});

const stopRow = surely(async (cxx, self: number, provider: number) => {
  const host = service(cxx, self);
  await above(cxx, host).stop.call(host as IOUserHIDDevice, service(cxx, provider));
  return undefined;
});

const reportRow = (name: "getReport" | "setReport") =>
  statusWaiting(
    async (
      cxx,
      self: number,
      report: number,
      type: number,
      options: number,
      timeoutMs: number,
      action: number,
    ) => {
      const device = hidDevice(cxx, self);
      const done = cxx.hostAs(action, OSAction);
      if (device === null || done === null) return IOReturns.kIOReturnBadArgument;
      return above(cxx, device)[name].call(
        device,
        descriptor(cxx, report),
        type >>> 0,
        options >>> 0,
        timeoutMs >>> 0,
        done,
      );
    },
  );

const handleStartRow = plainWaiting(async (cxx, self: number, provider: number) => {
  const device = hidDevice(cxx, self);
  if (device === null) return 0;
  return Number(await above(cxx, device).handleStart.call(device, service(cxx, provider)));
});

/** What the device refuses is no description: null. */
const descriptionRow = (
  ask: (base: IOUserHIDDevice, device: IOUserHIDDevice) => Promise<Properties | Uint8Array>,
) =>
  plainWaiting(async (cxx, self: number) => {
    const device = hidDevice(cxx, self);
    if (device === null) return 0;
    try {
      return cxx.valueToObject(await ask(above(cxx, device), device));
    } catch (error) {
      if (error instanceof IOError) return 0;
      throw error;
    }
  });

/** Of a USB device: calls that its own class has. */
const usbRow = (run: (device: IOUserUSBHostHIDDevice, argument: number) => Promise<void>) =>
  statusWaiting(async (cxx, self: number, argument: number) => {
    const device = cxx.hostAs(self, IOUserUSBHostHIDDevice);
    if (device === null) return IOReturns.kIOReturnBadArgument;
    await run(device, argument & 0xffff);
    return undefined;
  });

const deviceRows = {
  Start: startRow,
  handleStart: handleStartRow,
  newDeviceDescription: descriptionRow((base, device) => base.newDeviceDescription.call(device)),
  newReportDescriptor: descriptionRow((base, device) => base.newReportDescriptor.call(device)),
} as const;

export const hidCalls: HostCalls = {
  ...callsOf("IOHIDDevice", {
    handleReport: status(
      (
        cxx,
        self: number,
        timestamp: bigint,
        report: number,
        length: number,
        type: number,
        options: number,
      ) => {
        const device = cxx.hostAs(self, IOHIDDevice);
        if (device === null) return IOReturns.kIOReturnBadArgument;
        return device.handleReport(
          Number(timestamp),
          descriptor(cxx, report),
          length >>> 0,
          type >>> 0,
          options >>> 0,
        );
      },
    ),
    getReport: reportRow("getReport"),
    setReport: reportRow("setReport"),
    CompleteReport: plain((cxx, self: number, action: number, code: number, count: number) => {
      const device = hidDevice(cxx, self);
      const done = cxx.hostAs(action, OSAction);
      if (device === null || done === null) return undefined;
      const report = filled.get(done);
      if (report !== undefined) flushMirror(cxx, report);
      device.completeReport(done, (code >>> 0) as IOReturn, count >>> 0);
      return undefined;
    }),
    setProperty: plain((cxx, self: number, key: number, given: number) => {
      const name = cxx.objectToValue(key);
      const what = cxx.objectToValue(given);
      if (typeof name === "string" && what !== null) service(cxx, self).setProperties({ [name]: what });
      return undefined;
    }),
  }),
  ...callsOf("IOUserHIDDevice", deviceRows),
  ...callsOf("IOUserUSBHostHIDDevice", {
    ...deviceRows,
    Stop: stopRow,
    getReport: reportRow("getReport"),
    setReport: reportRow("setReport"),
    setProtocol: usbRow((device, protocol) => device.setProtocol(protocol)),
    setIdle: usbRow((device, idleTimeMs) => device.setIdle(idleTimeMs)),
  }),
};
