// HIDDriverKit above a device: its interface, its elements, and the events that a dext makes of its reports.

import { IOReturns } from "@drydock/core/base/io-return";
import { IOHIDElement } from "@drydock/core/families/hid/io-hid-element";
import { IOHIDEventService, IOUserHIDEventService } from "@drydock/core/families/hid/io-hid-event-service";
import { IOHIDInterface } from "@drydock/core/families/hid/io-hid-interface";
import { OSAction } from "@drydock/core/runtime/action";
import { IOBufferMemoryDescriptor } from "@drydock/core/runtime/memory";
import type { IOService } from "@drydock/core/runtime/service";
import type { CxxProcess, HostCalls } from "../cxx-process.ts";
import type { Hook } from "../hook.ts";
import { DextTrap } from "../trouble.ts";
import { addCallback } from "./action-calls.ts";
import { callsOf, plain, plainWaiting, status, statusWaiting, surely } from "./host-call.ts";
import { descriptor } from "./memory-calls.ts";
import { service } from "./service-calls.ts";

function hidInterface(cxx: CxxProcess, self: number): IOHIDInterface {
  const host = cxx.hostAs(self, IOHIDInterface);
  if (host === null) throw new DextTrap("a call on an IOHIDInterface that is none", cxx.here());
  return host;
}

function eventService(cxx: CxxProcess, self: number): IOUserHIDEventService {
  const host = cxx.hostAs(self, IOUserHIDEventService);
  if (host === null) throw new DextTrap("a call of an event service on what is none", cxx.here());
  return host;
}

function element(cxx: CxxProcess, self: number): IOHIDElement {
  const host = cxx.hostAs(self, IOHIDElement);
  if (host === null) throw new DextTrap("a call on an IOHIDElement that is none", cxx.here());
  return host;
}

const above = (cxx: CxxProcess, host: IOService): IOUserHIDEventService =>
  cxx.baseOf(host).prototype as IOUserHIDEventService;

/** Elements of a list that the dext made or was given. */
function elementsOf(cxx: CxxProcess, array: number): IOHIDElement[] {
  const members = cxx.engine.callExport("drydock_members", [array, 1]) as number;
  const count = cxx.engine.callExport("drydock_members", [array, 0]) as number;
  return Array.from({ length: count }, (_, index) => element(cxx, cxx.memory.u32(members + 4 * index)));
}

/** Which interface an action hears of, and the buffers of the dext's that lie in its pool. */
const heard = new WeakMap<OSAction, IOHIDInterface>();

addCallback("IOHIDInterface.ReportAvailable", (timestamp, number, _c, cxx, action) => {
  const delivery = heard.get(action)?.takeDelivery(number) ?? null;
  if (delivery === null) return [BigInt(Math.floor(timestamp)), 0, 0, 0, 0];
  const { report, reportID, reportLength, type } = delivery;
  return [BigInt(Math.floor(timestamp)), reportID, reportLength, type, cxx.addressOf(report)];
});

export const hidEventHooks: readonly Hook[] = [
  {
    cxx: "IOUserHIDEventService.handleStart",
    method: "handleStart",
    run: async (cxx, method, host, provider: IOService): Promise<boolean> =>
      Number(await cxx.run(method.thunk, cxx.addressOf(host), cxx.addressOf(provider))) !== 0,
  },
  {
    cxx: "IOUserHIDEventService.handleReport",
    method: "handleReport",
    run: async (
      cxx,
      method,
      host,
      timestamp: number,
      report: Uint8Array,
      length: number,
      type: number,
      id: number,
    ): Promise<void> => {
      const at = cxx.place(report.subarray(0, length));
      try {
        await cxx.run(method.thunk, cxx.addressOf(host), BigInt(Math.floor(timestamp)), at, length, type, id);
      } finally {
        cxx.unplace(at);
      }
    },
  },
  {
    cxx: "IOHIDEventService.SetLEDState",
    method: "setLEDState",
    run: (cxx, method, host, usagePage: number, usage: number, isOn: boolean) =>
      cxx.runStatus(host, method.thunk, "SetLEDState", cxx.addressOf(host), usagePage, usage, Number(isOn)),
  },
];

const startRow = statusWaiting(async (cxx, self: number, provider: number) => {
  const host = eventService(cxx, self);
  await above(cxx, host).start.call(host, service(cxx, provider));
  return undefined;
});

const handleStartRow = plainWaiting(async (cxx, self: number, provider: number) => {
  const host = eventService(cxx, self);
  return Number(await above(cxx, host).handleStart.call(host, service(cxx, provider)));
});

const handleReportRow = plainWaiting(
  async (cxx, self: number, timestamp: bigint, report: number, length: number, type: number, id: number) => {
    const host = eventService(cxx, self);
    const bytes = cxx.memory.copyOut(report, length >>> 0);
    await above(cxx, host).handleReport.call(host, Number(timestamp), bytes, bytes.length, type, id);
    return undefined;
  },
);

const time = (stamp: bigint): number => Number(BigInt.asUintN(64, stamp));

function events(cxx: CxxProcess, self: number): IOHIDEventService {
  const host = cxx.hostAs(self, IOHIDEventService);
  if (host === null) throw new DextTrap("an event of what is no event service", cxx.here());
  return host;
}

const reportRow = (name: "getReport" | "setReport") =>
  statusWaiting(async (cxx, self: number, report: number, type: number, id: number, options: number) => {
    await hidInterface(cxx, self)[name](descriptor(cxx, report), type >>> 0, id >>> 0, options >>> 0);
    return undefined;
  });

/** Numbers of an element, by the method that answers them. */
const number = (read: (host: IOHIDElement, argument: number) => number) =>
  plain((cxx, self: number, argument = 0) => read(element(cxx, self), argument >>> 0) | 0);

export const hidEventCalls: HostCalls = {
  ...callsOf("IOHIDInterface", {
    Open: status((cxx, self: number, client: number, options: number, action: number) => {
      const host = hidInterface(cxx, self);
      const done = cxx.hostAs(action, OSAction);
      if (done === null) return IOReturns.kIOReturnBadArgument;
      host.open(service(cxx, client), options >>> 0, done);
      heard.set(done, host);
      return undefined;
    }),
    Close: status(
      (cxx, self: number, client: number, options: number) =>
        void hidInterface(cxx, self).close(service(cxx, client), options >>> 0),
    ),
    AddReportToPool: status((cxx, self: number, report: number) => {
      const memory = cxx.hostAs(report, IOBufferMemoryDescriptor);
      return memory === null
        ? IOReturns.kIOReturnBadArgument
        : hidInterface(cxx, self).addReportToPool(memory);
    }),
    GetReport: reportRow("getReport"),
    SetReport: reportRow("setReport"),
    processReport: plain(
      (cxx, self: number, timestamp: bigint, report: number, length: number, type: number, id: number) =>
        void hidInterface(cxx, self).processReport(
          time(timestamp),
          cxx.memory.copyOut(report, length >>> 0),
          length >>> 0,
          type >>> 0,
          id >>> 0,
        ),
    ),
    getElements: plain((cxx, self: number) =>
      cxx.arrayOf(hidInterface(cxx, self).getElements(), "IOHIDElement"),
    ),
    commitElements: statusWaiting(async (cxx, self: number, array: number, direction: number) => {
      await hidInterface(cxx, self).commitElements(elementsOf(cxx, array), direction);
      return undefined;
    }),
  }),
  ...callsOf("IOHIDEventService", {
    dispatchKeyboardEvent: status(
      (
        cxx,
        self: number,
        stamp: bigint,
        usagePage: number,
        usage: number,
        value: number,
        options: number,
        repeat: number,
      ) =>
        events(cxx, self).dispatchKeyboardEvent(time(stamp), usagePage, usage, value, options, repeat !== 0),
    ),
    dispatchRelativePointerEvent: status(
      (cxx, self: number, stamp: bigint, dx: number, dy: number, buttons: number, options: number) =>
        events(cxx, self).dispatchRelativePointerEvent(time(stamp), dx, dy, buttons >>> 0, options),
    ),
    dispatchAbsolutePointerEvent: status(
      (cxx, self: number, stamp: bigint, x: number, y: number, buttons: number, options: number) =>
        events(cxx, self).dispatchAbsolutePointerEvent(time(stamp), x, y, buttons >>> 0, options),
    ),
    dispatchRelativeScrollWheelEvent: status(
      (cxx, self: number, stamp: bigint, dx: number, dy: number, dz: number, options: number) =>
        events(cxx, self).dispatchRelativeScrollWheelEvent(time(stamp), dx, dy, dz, options),
    ),
    SetLEDState: status(() => IOReturns.kIOReturnUnsupported),
  }),
  ...callsOf("IOUserHIDEventService", {
    Start: startRow,
    Stop: surely(async (cxx, self: number, provider: number) => {
      const host = eventService(cxx, self);
      await above(cxx, host).stop.call(host, service(cxx, provider));
      return undefined;
    }),
    handleStart: handleStartRow,
    handleReport: handleReportRow,
    getElements: plain((cxx, self: number) =>
      cxx.arrayOf(eventService(cxx, self).getElements(), "IOHIDElement"),
    ),
    conformsTo: plain((cxx, self: number, usagePage: number, usage: number) =>
      Number(eventService(cxx, self).conformsTo(usagePage, usage)),
    ),
    dispatchStandardGameControllerEvent: status((cxx, self: number, stamp: bigint, ...rest: never[]) => {
      const axes = (rest as number[]).slice(0, 16) as Axes;
      const [left, right, options] = (rest as number[]).slice(16);
      return eventService(cxx, self).dispatchStandardGameControllerEvent(
        time(stamp),
        ...axes,
        left !== 0,
        right !== 0,
        options,
      );
    }),
  }),
  ...callsOf("IOUserHIDEventDriver", {
    Start: startRow,
    handleStart: handleStartRow,
    handleReport: handleReportRow,
  }),
  ...callsOf("IOHIDElement", {
    commit: statusWaiting(async (cxx, self: number, direction: number) => {
      await element(cxx, self).commit(direction);
      return undefined;
    }),
    conformsTo: plain((cxx, self: number, usagePage: number, usage: number) =>
      Number(element(cxx, self).conformsTo(usagePage, usage)),
    ),
    getChildElements: plain((cxx, self: number) =>
      cxx.arrayOf(element(cxx, self).getChildElements(), "IOHIDElement"),
    ),
    getParentElement: plain((cxx, self: number) =>
      cxx.addressOf(element(cxx, self).getParentElement(), "IOHIDElement"),
    ),
    getTimeStamp: plain((cxx, self: number) => BigInt(Math.floor(element(cxx, self).getTimeStamp()))),
    getCollectionType: number((host) => host.getCollectionType()),
    getCookie: number((host) => host.getCookie()),
    getFlags: number((host) => host.getFlags()),
    getLogicalMax: number((host) => host.getLogicalMax()),
    getLogicalMin: number((host) => host.getLogicalMin()),
    getPhysicalMax: number((host) => host.getPhysicalMax()),
    getPhysicalMin: number((host) => host.getPhysicalMin()),
    getReportCount: number((host) => host.getReportCount()),
    getReportID: number((host) => host.getReportID()),
    getReportSize: number((host) => host.getReportSize()),
    getScaledFixedValue: number((host, type) => host.getScaledFixedValue(type)),
    getType: number((host) => host.getType()),
    getUnit: number((host) => host.getUnit()),
    getUnitExponent: number((host) => host.getUnitExponent()),
    getUsage: number((host) => host.getUsage()),
    getUsagePage: number((host) => host.getUsagePage()),
    getValue: number((host, options) => host.getValue(options)),
    setValue: plain((cxx, self: number, value: number) => void element(cxx, self).setValue(value >>> 0)),
  }),
};

/** Directions, faces, shoulders and sticks, in Apple's order. */
type Axes = [
  ...[number, number, number, number],
  ...[number, number, number, number],
  ...[number, number, number, number],
  ...[number, number, number, number],
];
