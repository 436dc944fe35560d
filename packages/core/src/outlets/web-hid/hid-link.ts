// One HID interface of an attached device: its report descriptor, its reports both ways. HID 1.11 §7.

import {
  findHidDescriptor,
  HidDescriptorType,
  HidReportType,
  HidRequest,
  hidClass,
} from "../../codec/hid/hid.ts";
import {
  type HidCollection,
  parseReportDescriptor,
  type ReportDescriptor,
  type ReportKind,
} from "../../codec/hid-report/report-descriptor.ts";
import type { InterfaceSetting } from "../../codec/usb/descriptors.ts";
import {
  directionIn,
  encodeSetup,
  Feature,
  Recipient,
  RequestType,
  StandardRequest,
} from "../../codec/usb/setup.ts";
import { UsbStatus } from "../../ports/usb-host.ts";
import type { EnumeratedDevice } from "../webusb/enumerate.ts";
import type { PortRequest, PortRequests } from "../webusb/port-requests.ts";
import { openCollections, reportIds } from "./collection-info.ts";

export interface HidInterfaceFacts {
  readonly number: number;
  readonly inEndpoint: number | null;
  readonly outEndpoint: number | null;
  readonly descriptor: ReportDescriptor;
  /** Those that a page may see; at least one. */
  readonly collections: readonly HidCollection[];
}

/** Reads that fail one after the other before the reading is given up. */
const failuresMaximum = 8;

/** HID interfaces of the configuration in force, or of the first one. */
export function hidSettings({ configurations, configurationValue }: EnumeratedDevice): {
  readonly configurationValue: number;
  readonly settings: readonly InterfaceSetting[];
} {
  const configuration =
    configurations.find(({ descriptor }) => descriptor.bConfigurationValue === configurationValue) ??
    configurations[0];
  const settings = (configuration?.interfaces ?? [])
    .map(({ settings: all }) => all.find(({ descriptor }) => descriptor.bAlternateSetting === 0))
    .filter((setting) => setting !== undefined)
    .filter(({ descriptor }) => descriptor.bInterfaceClass === hidClass);
  return { configurationValue: configuration?.descriptor.bConfigurationValue ?? 0, settings };
}

/** SET_CONFIGURATION. */
export function configure(requests: PortRequests, value: number, done: (isDone: boolean) => void): void {
  const setup = encodeSetup({
    bmRequestType: Recipient.device,
    bRequest: StandardRequest.setConfiguration,
    wValue: value,
    wIndex: 0,
    wLength: 0,
  });
  requests.control(setup, new Uint8Array(0), (status) => done(status === UsbStatus.ok));
}

/** Asks for the report descriptor; null to `done` when a page may see nothing of this interface. */
export function readInterface(
  requests: PortRequests,
  setting: InterfaceSetting,
  isUnrestricted: boolean,
  done: (facts: HidInterfaceFacts | null, problem: string | null) => void,
): void {
  const number = setting.descriptor.bInterfaceNumber;
  const said = findHidDescriptor(setting.extra)?.descriptors.find(
    ({ type }) => type === HidDescriptorType.report,
  );
  if (said === undefined) {
    done(null, `interface ${number} has no HID descriptor with a report descriptor`);
    return;
  }
  const wLength = Math.min(said.length, 0xffff);
  const buffer = new Uint8Array(wLength);
  const setup = encodeSetup({
    bmRequestType: directionIn | Recipient.interface,
    bRequest: StandardRequest.getDescriptor,
    wValue: HidDescriptorType.report << 8,
    wIndex: number,
    wLength,
  });
  requests.control(setup, buffer, (status, count) => {
    if (status !== UsbStatus.ok) {
      done(null, status === UsbStatus.gone ? null : `interface ${number} refuses its report descriptor`);
      return;
    }
    let descriptor: ReportDescriptor;
    try {
      descriptor = parseReportDescriptor(buffer.subarray(0, count));
    } catch (error) {
      done(null, (error as Error).message);
      return;
    }
    const collections = isUnrestricted ? [...descriptor.collections] : openCollections(descriptor);
    const endpoint = (isIn: boolean) =>
      setting.endpoints.find(
        ({ descriptor: { bEndpointAddress, bmAttributes } }) =>
          (bmAttributes & 3) === 3 && ((bEndpointAddress & directionIn) !== 0) === isIn,
      )?.descriptor.bEndpointAddress ?? null;
    const facts = {
      number,
      inEndpoint: endpoint(true),
      outEndpoint: endpoint(false),
      descriptor,
      collections,
    };
    done(collections.length === 0 ? null : facts, null);
  });
}

const kindCodes: Readonly<Record<ReportKind, number>> = {
  input: HidReportType.input,
  output: HidReportType.output,
  feature: HidReportType.feature,
};

/** Reports of one interface. `read` runs from `start` to `stop`; everything ends with the device. */
export class HidLink {
  readonly facts: HidInterfaceFacts;
  readonly #requests: PortRequests;
  readonly #onInput: (reportId: number, data: Uint8Array) => void;
  readonly #onProblem: (reason: string) => void;
  readonly #inputIds: ReadonlySet<number>;
  #reading: PortRequest | null = null;
  #isReading = false;
  #failures = 0;

  constructor(
    facts: HidInterfaceFacts,
    requests: PortRequests,
    onInput: (reportId: number, data: Uint8Array) => void,
    onProblem: (reason: string) => void,
  ) {
    this.facts = facts;
    this.#requests = requests;
    this.#onInput = onInput;
    this.#onProblem = onProblem;
    const ids = new Set<number>();
    for (const collection of facts.collections) reportIds(collection, "input", ids);
    this.#inputIds = ids;
  }

  start(): void {
    this.#isReading = true;
    this.#failures = 0;
    if (this.#reading === null) this.#read();
  }

  stop(): void {
    this.#isReading = false;
    if (this.#reading !== null) this.#requests.cancel(this.#reading);
  }

  /** Null when such a report may be sent; otherwise why not. */
  problemOf(kind: ReportKind, reportId: number, lengthBytes: number | null): string | null {
    const { descriptor, collections } = this.facts;
    if ((reportId !== 0) !== descriptor.usesReportIds)
      return descriptor.usesReportIds ? "the device uses report ids" : "the device uses no report ids";
    const isOpen = collections.some((collection) => reportIds(collection, kind).has(reportId));
    const report = descriptor.reports.find((entry) => entry.kind === kind && entry.id === reportId);
    if (report === undefined || !isOpen) return `there is no ${kind} report ${reportId}`;
    const most = report.byteLength - (reportId === 0 ? 0 : 1);
    if (lengthBytes !== null && lengthBytes > most)
      return `${kind} report ${reportId} has ${most} bytes, not ${lengthBytes}`;
    return null;
  }

  /** An output report goes to the OUT endpoint when there is one (HID 1.11 §4.4), any other by SET_REPORT. */
  send(kind: ReportKind, reportId: number, data: Uint8Array, done: (status: UsbStatus) => void): void {
    const report = reportId === 0 ? data : Uint8Array.of(reportId, ...data);
    const { number, outEndpoint } = this.facts;
    if (kind === "output" && outEndpoint !== null) {
      this.#requests.transfer(outEndpoint, report, done);
      return;
    }
    const setup = encodeSetup({
      bmRequestType: RequestType.class | Recipient.interface,
      bRequest: HidRequest.setReport,
      wValue: (kindCodes[kind] << 8) | reportId,
      wIndex: number,
      wLength: report.length,
    });
    this.#requests.control(setup, report, done);
  }

  /** GET_REPORT; the id byte included where the device has ids. */
  receive(reportId: number, done: (status: UsbStatus, bytes: Uint8Array) => void): void {
    const report = this.facts.descriptor.reports.find(
      (entry) => entry.kind === "feature" && entry.id === reportId,
    );
    const wLength = report?.byteLength ?? 0;
    const buffer = new Uint8Array(wLength);
    const setup = encodeSetup({
      bmRequestType: directionIn | RequestType.class | Recipient.interface,
      bRequest: HidRequest.getReport,
      wValue: (HidReportType.feature << 8) | reportId,
      wIndex: this.facts.number,
      wLength,
    });
    this.#requests.control(setup, buffer, (status, count) => done(status, buffer.subarray(0, count)));
  }

  /** The next input report; a halt of the endpoint is cleared, as an operating system's driver does. */
  #read(): void {
    const { descriptor, inEndpoint } = this.facts;
    if (inEndpoint === null || !this.#isReading) return;
    const lengths = descriptor.reports
      .filter(({ kind }) => kind === "input")
      .map(({ byteLength }) => byteLength);
    if (lengths.length === 0) return;
    const buffer = new Uint8Array(Math.max(...lengths));
    let isOver = false;
    const request = this.#requests.transfer(inEndpoint, buffer, (status, count) => {
      isOver = true;
      this.#reading = null;
      if (status === UsbStatus.gone) return;
      if (status === UsbStatus.ok) {
        this.#failures = 0;
        if (this.#isReading) this.#take(buffer.subarray(0, count));
      } else if (status !== UsbStatus.cancelled && ++this.#failures >= failuresMaximum) {
        this.#onProblem(`interface ${this.facts.number}: input reports fail again and again: no longer read`);
        return;
      }
      if (status === UsbStatus.stall || status === UsbStatus.protocolError) this.#clearHalt(inEndpoint);
      else this.#read();
    });
    // A refusal comes inside the call.
    if (!isOver) this.#reading = request;
  }

  #take(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const { usesReportIds } = this.facts.descriptor;
    const reportId = usesReportIds ? bytes[0] : 0;
    // Of a protected collection, or of none: no page hears of it.
    if (this.#inputIds.has(reportId)) this.#onInput(reportId, bytes.slice(usesReportIds ? 1 : 0));
  }

  #clearHalt(endpoint: number): void {
    const setup = encodeSetup({
      bmRequestType: Recipient.endpoint,
      bRequest: StandardRequest.clearFeature,
      wValue: Feature.endpointHalt,
      wIndex: endpoint,
      wLength: 0,
    });
    this.#requests.control(setup, new Uint8Array(0), (status) => {
      if (status === UsbStatus.gone) return;
      this.#requests.clearHalt(endpoint);
      this.#read();
    });
  }
}
