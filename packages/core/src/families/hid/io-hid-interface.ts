// IOHIDInterface: a client's side of a HID device, published on its driver. driverkit-families.md §2.2.

import { type IOReturn, IOReturns } from "../../base/io-return.ts";
import { millisecond } from "../../base/units.ts";
import {
  findReport,
  isArray,
  type ReportDescriptor,
  type ReportKind,
} from "../../codec/hid-report/report-descriptor.ts";
import { newReport, readValue, writeValue } from "../../codec/hid-report/report-values.ts";
import type { OSAction } from "../../runtime/action.ts";
import {
  IOBufferMemoryDescriptor,
  type IOMemoryDescriptor,
  kIOMemoryDirectionIn,
  kIOMemoryDirectionOut,
} from "../../runtime/memory.ts";
import type { Completion, Scheduler } from "../../runtime/scheduler.ts";
import { IOService, type ServiceContext } from "../../runtime/service.ts";
import { callService } from "../../runtime/service-call.ts";
import {
  type HidKernelSide,
  kIOHIDReportTypeFeature,
  kIOHIDReportTypeInput,
  kIOHIDReportTypeOutput,
  reportIdMask,
} from "./io-hid-device.ts";
import { ElementTree, type IOHIDElement, kIOHIDElementCommitDirectionIn } from "./io-hid-element.ts";
import type { IOUserHIDDevice } from "./io-user-hid-device.ts";

/** completionTimeout of requests, milliseconds: the default of driverkit-families.md §2.1. */
const completionTimeoutMs = 1000;
/** What the driver may be late beyond that, before the kernel gives up on it. */
const graceMs = 500;

/** A report on its way to the client: named by number, because a callback carries three of them. */
interface Delivery {
  readonly report: IOMemoryDescriptor;
  readonly reportID: number;
  readonly reportLength: number;
  readonly type: number;
}

const kinds: Readonly<Record<number, ReportKind>> = {
  [kIOHIDReportTypeInput]: "input",
  [kIOHIDReportTypeOutput]: "output",
  [kIOHIDReportTypeFeature]: "feature",
};

/**
 * One client at a time. Reports are copied into buffers of the client's pool; with an empty pool they are dropped
 * (unknown in Apple's; `droppedReports` counts them).
 */
export class IOHIDInterface extends IOService implements HidKernelSide {
  readonly layout: ReportDescriptor;
  droppedReports = 0;
  readonly #scheduler: Scheduler;
  readonly #driver: IOUserHIDDevice;
  readonly #messageDelayNs: () => number;
  readonly #pool: IOBufferMemoryDescriptor[] = [];
  readonly #deliveries = new Map<number, Delivery>();
  #nextDelivery = 1;
  #client: IOService | null = null;
  #action: OSAction | null = null;
  #tree: ElementTree | null = null;

  constructor(context: ServiceContext, driver: IOUserHIDDevice, messageDelayNs: () => number) {
    super(context);
    this.#scheduler = context.kernel.scheduler;
    this.#driver = driver;
    this.#messageDelayNs = messageDelayNs;
    this.layout = driver.reportLayout;
    driver.attachKernelSide(this);
  }

  /**
   * Reports arrive through `action` from now on, whose callback is (timestamp, number of the delivery, 0): see
   * `takeDelivery`. kIOReturnExclusiveAccess when another service has it, kIOReturnNoDevice when it is leaving.
   */
  open(forClient: IOService, _options: number, action: OSAction): void {
    const call = "IOHIDInterface.open";
    if (this.isInactive) throw this.failure(IOReturns.kIOReturnNoDevice, call);
    if (this.#client !== null && this.#client !== forClient)
      throw this.failure(IOReturns.kIOReturnExclusiveAccess, call, `${this.#client.logName} has it open`);
    if (this.#client === null) forClient.opened.push(this);
    this.#client = forClient;
    this.#action = action;
  }

  close(forClient: IOService, _options = 0): void {
    this.forceClose(forClient);
  }

  forceClose(client: IOService): void {
    if (this.#client !== client) return;
    this.#client = null;
    this.#action = null;
    this.#pool.length = 0;
    this.#deliveries.clear();
    client.opened.splice(client.opened.indexOf(this), 1);
  }

  /** A buffer for one report; it is the interface's until it comes back with a delivery. */
  addReportToPool(report: IOBufferMemoryDescriptor): IOReturn {
    if (report.isReleased || (report.direction & kIOMemoryDirectionIn) === 0)
      return IOReturns.kIOReturnBadArgument;
    this.#pool.push(report);
    return IOReturns.kIOReturnSuccess;
  }

  /** What a callback's number stands for; null when the interface was closed meanwhile. */
  takeDelivery(number: number): Delivery | null {
    const delivery = this.#deliveries.get(number) ?? null;
    this.#deliveries.delete(number);
    return delivery;
  }

  /** The driver's side. */
  reportArrived(timestamp: number, report: Uint8Array, length: number, type: number): void {
    if (this.#client === null || this.#action === null) return;
    const buffer = this.#pool.shift();
    if (buffer === undefined || length > buffer.capacity || length === 0) {
      if (buffer !== undefined) this.#pool.unshift(buffer);
      this.droppedReports++;
      return;
    }
    buffer.setLength(buffer.capacity);
    buffer.bytes.set(report.subarray(0, length));
    const number = this.#nextDelivery++;
    const reportID = this.layout.usesReportIds ? report[0] : 0;
    this.#deliveries.set(number, { report: buffer, reportID, reportLength: length, type });
    this.#action.invoke(timestamp, number, 0);
  }

  /** Every collection and control, made at the first call. */
  getElements(): readonly IOHIDElement[] {
    return this.#elements().elements;
  }

  /** Sets the elements' values from a report. */
  processReport(
    timestamp: number,
    report: Uint8Array,
    reportLength: number,
    type: number,
    reportID: number,
  ): void {
    if (type === kIOHIDReportTypeInput)
      this.#elements().apply(timestamp, report.subarray(0, reportLength), reportID);
  }

  /**
   * Out: sends each output or feature report that one of `elements` is in, with the values of all elements of that
   * report. In: asks for it and sets them. Rejects like setReport and getReport.
   */
  async commitElements(elements: readonly IOHIDElement[], direction: number): Promise<void> {
    const reports = new Set<string>();
    for (const { field } of elements) if (field !== null) reports.add(`${field.kind} ${field.reportId}`);
    for (const name of reports) {
      const [kind, id] = name.split(" ") as [ReportKind, string];
      await this.#commitReport(kind, Number(id), direction);
    }
  }

  /**
   * Sends a report, id byte first where there are ids; blocks. kIOReturnBadArgument for a type that there is not,
   * kIOReturnNotReady when the driver is stopping, kIOReturnTimeout, and what the driver answers.
   */
  async setReport(report: IOMemoryDescriptor, reportType: number, reportID = 0, options = 0): Promise<void> {
    await this.#request("setReport", report, reportType, reportID, options);
  }

  /** Asks the device; blocks. Resolves with the bytes that came. Errors as for setReport. */
  getReport(report: IOMemoryDescriptor, reportType: number, reportID = 0, options = 0): Promise<number> {
    return this.#request("getReport", report, reportType, reportID, options);
  }

  #elements(): ElementTree {
    this.#tree ??= new ElementTree(this, this.layout);
    return this.#tree;
  }

  async #commitReport(kind: ReportKind, id: number, direction: number): Promise<void> {
    const report = findReport(this.layout, kind, id);
    if (report === null) throw this.failure(IOReturns.kIOReturnNotFound, "IOHIDInterface.commitElements");
    const isIn = direction === kIOHIDElementCommitDirectionIn;
    const type =
      kind === "input"
        ? kIOHIDReportTypeInput
        : kind === "output"
          ? kIOHIDReportTypeOutput
          : kIOHIDReportTypeFeature;
    const made = IOBufferMemoryDescriptor.create(
      this.process.memory,
      isIn ? kIOMemoryDirectionIn : kIOMemoryDirectionOut,
      report.byteLength,
      0,
    );
    if (made.value === null) throw this.failure(made.status, "IOHIDInterface.commitElements");
    const buffer = made.value;
    const members = this.getElements().filter(
      ({ field }) => field !== null && field.kind === kind && field.reportId === id && !isArray(field),
    );
    try {
      if (!isIn) {
        const bytes = newReport(report);
        for (const element of members) {
          if (element.field !== null) writeValue(bytes, element.field, element.index, element.getValue());
        }
        buffer.bytes.set(bytes);
        await this.setReport(buffer, type, id);
        return;
      }
      const count = await this.getReport(buffer, type, id);
      const now = this.nowNs;
      for (const element of members) {
        const { field, index } = element;
        if (field === null || field.bitOffset + (index + 1) * field.reportSize > count * 8) continue;
        element.report(now, readValue(buffer.bytes, field, index));
      }
    } finally {
      buffer.release();
    }
  }

  async #request(
    method: "getReport" | "setReport",
    report: IOMemoryDescriptor,
    reportType: number,
    reportID: number,
    options: number,
  ): Promise<number> {
    const call = `IOHIDInterface.${method}`;
    const driver = this.#driver;
    if (kinds[reportType] === undefined) throw this.failure(IOReturns.kIOReturnBadArgument, call);
    const pending = new PendingReport(this.#scheduler);
    const action = driver.createAction("completeReport", (_action, status, count) =>
      pending.finish(status, count),
    );
    const guard = { serverDied: (code: IOReturn) => pending.finish(code, 0) };
    driver.process.pendingCalls.add(guard);
    const timer = this.#scheduler.after(
      (completionTimeoutMs + graceMs) * millisecond,
      () => pending.finish(IOReturns.kIOReturnTimeout, 0),
      undefined,
    );
    try {
      const flags = (options & ~reportIdMask) | reportID;
      const answer = await callService(this.#scheduler, driver, method, this.#messageDelayNs(), async () =>
        driver[method](report, reportType, flags, completionTimeoutMs, action),
      );
      const refused = answer.status !== IOReturns.kIOReturnSuccess ? answer.status : (answer.value ?? 0);
      if (refused !== IOReturns.kIOReturnSuccess) throw this.failure(refused, call);
      const { status, count } = await pending.wait(call);
      if (status !== IOReturns.kIOReturnSuccess) throw this.failure(status, call);
      return count;
    } finally {
      this.#scheduler.cancel(timer);
      driver.process.pendingCalls.delete(guard);
      action.cancel(() => {});
    }
  }
}

/** The end of one getReport or setReport: the first of driver, timeout and death counts. */
class PendingReport {
  readonly #scheduler: Scheduler;
  #result: { status: IOReturn; count: number } | null = null;
  #completion: Completion<{ status: IOReturn; count: number }> | null = null;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  finish(status: IOReturn, count: number): void {
    if (this.#result !== null) return;
    this.#result = { status, count };
    this.#completion?.succeed(this.#result);
  }

  async wait(call: string): Promise<{ status: IOReturn; count: number }> {
    if (this.#result !== null) return this.#result;
    return await this.#scheduler.block(
      call,
      (completion: Completion<{ status: IOReturn; count: number }>) => {
        this.#completion = completion;
      },
    );
  }
}
