// IOSCSIPeripheralDeviceNub: one logical unit, as class drivers match it.

import { writeInquiry, writeReportLuns } from "../../codec/scsi/cdb.ts";
import { decodeReportLuns } from "../../codec/scsi/inquiry.ts";
import { InquiryView } from "../../codec/scsi/unit-views.ts";
import { scsiUnitProperties } from "../../platform/nub-properties.ts";
import type { Properties } from "../../platform/properties.ts";
import { IOService, type ServiceContext } from "../../runtime/service.ts";
import type { IOSCSIProtocolServices } from "./io-scsi-protocol-services.ts";
import { kSCSIDataTransfer_FromTargetToInitiator, kSCSITaskStatus_CHECK_CONDITION } from "./scsi-task.ts";

/** First INQUIRY; the second asks for ADDITIONAL LENGTH + 5 (posts.md T9). */
const firstInquiryBytes = 6;
const inquiryTimeoutMs = 10_000;
/** A unit that still has a unit attention to tell refuses nothing of this, but is asked again all the same. */
const inquiryAttempts = 4;
const inquiryTimeouts = 2;

/**
 * IOSCSILogicalUnitNub (Bulk-Only) and IOSCSIHierarchicalLogicalUnit (UAS) are both of this class: it is the provider
 * class to match (posts.md P09, established).
 */
export class IOSCSIPeripheralDeviceNub extends IOService {
  readonly protocol: IOSCSIProtocolServices;
  readonly lun: number;

  constructor(context: ServiceContext, protocol: IOSCSIProtocolServices, lun: number) {
    super(context);
    this.protocol = protocol;
    this.lun = lun;
  }
}

/** What two INQUIRYs said. */
export interface UnitIdentity {
  readonly peripheralType: number;
  readonly vendor: string;
  readonly product: string;
  readonly revision: string;
  readonly isRemovable: boolean;
}

/** Asks a unit who it is, as the kernel does; null when there is none. Blocks. */
export async function identifyUnit(
  protocol: IOSCSIProtocolServices,
  lun: number,
): Promise<UnitIdentity | null> {
  const first = await inquire(protocol, lun, firstInquiryBytes);
  if (first === null || first.length < 5) return null;
  // Zeros in the first answer make the second one 5 bytes long: so be it.
  const whole = await inquire(protocol, lun, new InquiryView(first).wholeBytes);
  if (whole === null || whole.length < 1) return null;
  const { isRemovable, peripheralType, product, qualifier, revision, vendor } = new InquiryView(whole);
  // Qualifier 3: the target could have a unit here and has none.
  return qualifier === 3 ? null : { peripheralType, vendor, product, revision, isRemovable };
}

async function inquire(
  protocol: IOSCSIProtocolServices,
  lun: number,
  allocationBytes: number,
): Promise<Uint8Array | null> {
  let timeouts = 0;
  for (let attempt = 0; attempt < inquiryAttempts; attempt++) {
    const task = protocol.newTask();
    task.lun = lun;
    task.cdbBytes = writeInquiry(task.cdb, null, allocationBytes);
    task.direction = kSCSIDataTransfer_FromTargetToInitiator;
    task.data = new Uint8Array(allocationBytes);
    task.dataBytes = allocationBytes;
    task.timeoutMs = inquiryTimeoutMs;
    await protocol.perform(task, "INQUIRY");
    if (task.isGood) return task.data.subarray(0, task.realizedBytes);
    if (protocol.isInactive) return null;
    // Silence is not asked again and again: each time may cost a reset.
    if (task.hasTimedOut && ++timeouts >= inquiryTimeouts) return null;
  }
  return null;
}

/** Logical units of a hierarchical target: REPORT LUNS, or unit 0 alone where it is refused. Blocks. */
export async function reportUnits(protocol: IOSCSIProtocolServices): Promise<number[]> {
  const bytes = 8 + 8 * 16;
  if (protocol.memory.silent.has("REPORT LUNS")) return [0];
  for (let attempt = 0; attempt < inquiryAttempts; attempt++) {
    const task = protocol.newTask();
    task.cdbBytes = writeReportLuns(task.cdb, bytes);
    task.direction = kSCSIDataTransfer_FromTargetToInitiator;
    task.data = new Uint8Array(bytes);
    task.dataBytes = bytes;
    task.timeoutMs = inquiryTimeoutMs;
    await protocol.perform(task, "REPORT LUNS");
    if (task.isGood) {
      if (task.realizedBytes < 8) return [0];
      // Whatever cannot be addressed by a number is left out, and one that is named twice is one unit.
      const luns = new Set(decodeReportLuns(task.data.subarray(0, task.realizedBytes)));
      return luns.size === 0 ? [0] : [...luns];
    }
    if (task.hasTimedOut) protocol.memory.silent.add("REPORT LUNS");
    if (protocol.isInactive) return [];
    if (task.status !== kSCSITaskStatus_CHECK_CONDITION) break;
  }
  return [0];
}

export function nubProperties(identity: UnitIdentity, lun: number, interconnect: string): Properties {
  return {
    ...scsiUnitProperties(identity),
    SCSILogicalUnitNumber: lun,
    "Protocol Characteristics": {
      "Physical Interconnect": interconnect,
      "Physical Interconnect Location": "External",
    },
  };
}
