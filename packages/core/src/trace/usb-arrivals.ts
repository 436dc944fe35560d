// Devices of a USB trace in order of arrival: what each said about itself, and what moved besides.

import {
  type DescriptorAnswers,
  descriptorKey,
  isSetConfiguration,
  isStandardRequest,
  keepAnswer,
  summarizeDevice,
  type UsbDeviceSummary,
} from "../dissect/device-summary.ts";
import { UsbStatus } from "../ports/usb-host.ts";
import { TraceKind, type TraceRow, TraceTransfer, type UsbTraceLog } from "./usb-trace-log.ts";

/** Data that moved outside of enumeration: any pipe but the default one, or a class or vendor request. */
export interface DataTransfer {
  /** When it completed. */
  readonly timeNs: number;
  readonly endpoint: number;
  readonly bytes: number;
}

export interface UsbArrival {
  /** Number in the trace. */
  readonly device: number;
  /** Of the first transfer. */
  readonly timeNs: number;
  /** The last moment before a driver could have it: SET_CONFIGURATION, or the last descriptor when there is none. */
  readonly knownNs: number;
  /** Null: its descriptors are not in the recording, so nothing can be decided about it. */
  readonly summary: UsbDeviceSummary | null;
  readonly data: readonly DataTransfer[];
}

export function usbArrivals(log: UsbTraceLog): UsbArrival[] {
  const open = new Map<number, TraceRow>();
  const devices = new Map<number, ArrivalInHand>();
  for (const row of log.all()) {
    if (row.kind !== TraceKind.submit && row.kind !== TraceKind.complete) continue;
    let device = devices.get(row.device);
    if (device === undefined) {
      device = new ArrivalInHand(row.device, row.timeNs);
      devices.set(row.device, device);
    }
    if (row.kind === TraceKind.submit) {
      open.set(row.id, row);
      device.submitted(row);
      continue;
    }
    const submitted = open.get(row.id);
    open.delete(row.id);
    if (submitted !== undefined) device.completed(submitted, row);
  }
  return [...devices.values()].map((device) => device.finish());
}

class ArrivalInHand {
  readonly #device: number;
  readonly #timeNs: number;
  readonly #data: DataTransfer[] = [];
  readonly #answers: DescriptorAnswers = new Map();
  #knownNs: number;
  #isConfigured = false;

  constructor(device: number, timeNs: number) {
    this.#device = device;
    this.#timeNs = timeNs;
    this.#knownNs = timeNs;
  }

  submitted({ setup, timeNs }: TraceRow): void {
    if (setup === null || this.#isConfigured || !isSetConfiguration(setup)) return;
    this.#isConfigured = true;
    this.#knownNs = timeNs;
  }

  completed({ setup, transfer, endpoint }: TraceRow, row: TraceRow): void {
    if (transfer !== TraceTransfer.control || setup === null || !isStandardRequest(setup)) {
      if (row.length > 0) this.#data.push({ timeNs: row.timeNs, endpoint, bytes: row.length });
      return;
    }
    const key = descriptorKey(setup);
    if (key === null || row.status !== UsbStatus.ok || this.#isConfigured) return;
    keepAnswer(this.#answers, key, row.data);
    this.#knownNs = row.timeNs;
  }

  finish(): UsbArrival {
    return {
      device: this.#device,
      timeNs: this.#timeNs,
      knownNs: this.#knownNs,
      summary: summarizeDevice(this.#answers),
      data: this.#data,
    };
  }
}
