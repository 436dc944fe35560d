// The casebook: what a case is, and the list of those that run.

import type { DescribeRequest } from "@drydock/core/codec/usb/setup";
import type { EvidenceFile } from "@drydock/core/platform/evidence/evidence-file";
import type { BundleFile } from "@drydock/core/platform/evidence/signed-bundle";
import type { LogRow } from "@drydock/core/platform/log-row";
import type { HostTurn } from "@drydock/core/runtime/scheduler";
import type { UsbTraceLog } from "@drydock/core/trace/usb-trace-log";
import { setLineCodingCase } from "./P02-set-line-coding/case.ts";
import { alternateSdksCase } from "./P03-alternate-sdks/case.ts";
import { transportUsbCase } from "./P04-transport-usb-profile/case.ts";
import { transportUsbCommentsCase } from "./P05-transport-usb-profile-dup/case.ts";
import { declareStructorsCase } from "./P06-osdeclare-structors/case.ts";
import { usbPolicyCase } from "./P07-usb-policy/case.ts";
import { relinkBridgeCase } from "./P08-relink-bridge/case.ts";
import { sendCdbUasCase } from "./P09-sendcdb-uas/case.ts";
import { userClientSigningCase } from "./P12-userclient-signing/case.ts";
import { ftdiIpadCase } from "./P13-ftdi-ipados/case.ts";
import { power20sCase } from "./P15-power-20s/case.ts";
import { lostLogsCase } from "./P17-lost-logs/case.ts";
import { scsiDiskutilCase } from "./P19-scsi-diskutil/case.ts";
import { userClientSampleCase } from "./P20-userclient-sample/case.ts";

export type Side = "bad" | "good";

export interface CaseOptions {
  readonly seed: number;
  readonly turn: HostTurn;
}

/** What one driver of a case did. */
export interface CaseRun {
  /** True when the driver did what its user wanted. A case is sound when bad is false and good is true. */
  readonly succeeded: boolean;
  /** One sentence: the result, and the true reason for a failure. */
  readonly result: string;
  /** The wire, where the case has one. */
  readonly trace: UsbTraceLog | null;
  readonly log: readonly LogRow[];
  /** Further files that a person would have at hand: a panic report, a registry, an opcode log, a signed bundle. Default: none. */
  readonly evidence?: readonly (EvidenceFile | BundleFile)[];
}

export interface DriverCase {
  /** As in the forum list: "P02". */
  readonly id: string;
  readonly title: string;
  /** One sentence: what went wrong for the person who asked. */
  readonly symptom: string;
  /** One sentence: why. */
  readonly cause: string;
  readonly describeRequests: readonly DescribeRequest[];
  run(side: Side, options: CaseOptions): Promise<CaseRun>;
  /** All the ways that the case's device can behave, and where each ends: lines for people, as they come. */
  explore?(options: CaseOptions): AsyncGenerator<string>;
}

/** In the order of the forum's list. */
export const casebook: readonly DriverCase[] = [
  setLineCodingCase,
  alternateSdksCase,
  transportUsbCase,
  transportUsbCommentsCase,
  declareStructorsCase,
  usbPolicyCase,
  relinkBridgeCase,
  sendCdbUasCase,
  userClientSigningCase,
  ftdiIpadCase,
  power20sCase,
  lostLogsCase,
  scsiDiskutilCase,
  userClientSampleCase,
];

/** By id, in any letter case. The error lists what there is. */
export function findCase(id: string): DriverCase {
  const found = casebook.find((entry) => entry.id.toLowerCase() === id.toLowerCase());
  if (found === undefined) {
    throw new RangeError(`no case "${id}"; there are: ${casebook.map((entry) => entry.id).join(", ")}`);
  }
  return found;
}
