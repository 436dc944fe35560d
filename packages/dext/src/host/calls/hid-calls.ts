// HIDDriverKit: what a HID device of a dext calls, and what the family asks it for.

import { IOReturns } from "@drydock/core/base/io-return";
import { IOHIDDevice } from "@drydock/core/families/hid/io-hid-device";
import { IOUserHIDDevice } from "@drydock/core/families/hid/io-user-hid-device";
import { isDictionary, type Properties } from "@drydock/core/platform/properties";
import type { IOService } from "@drydock/core/runtime/service";
import type { CxxMethod } from "../class-records.ts";
import type { CxxProcess, HostCalls } from "../cxx-process.ts";
import type { Hook } from "../hook.ts";
import { callsOf, plain, status, statusWaiting } from "./host-call.ts";
import { descriptor } from "./memory-calls.ts";
import { service } from "./service-calls.ts";

/** An object that a method of the dext's made, as a value; null when it made none. Its reference is given up. */
async function made(cxx: CxxProcess, method: CxxMethod, device: IOService): Promise<unknown> {
  const at = Number(await cxx.run(method.thunk, cxx.addressOf(device)));
  if (at === 0) return null;
  const value = cxx.objectToValue(at);
  cxx.release(at);
  return value;
}

export const hidHooks: readonly Hook[] = [
  {
    cxx: "IOUserHIDDevice.handleStart",
    method: "handleStart",
    run: async (cxx, method, device, provider: IOService): Promise<boolean> =>
      Number(await cxx.run(method.thunk, cxx.addressOf(device), cxx.addressOf(provider))) !== 0,
  },
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
];

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
  }),
  ...callsOf("IOUserHIDDevice", {
    /** Apple's own Start asks handleStart and the descriptions of the object it is called on. */
    Start: statusWaiting(async (cxx, self: number, provider: number) => {
      const device = cxx.hostAs(self, IOUserHIDDevice);
      if (device === null) return IOReturns.kIOReturnBadArgument;
      await IOUserHIDDevice.prototype.start.call(device, service(cxx, provider));
      return undefined;
    }),
    handleStart: plain(() => 1),
    newDeviceDescription: plain(() => 0),
    newReportDescriptor: plain(() => 0),
  }),
};
