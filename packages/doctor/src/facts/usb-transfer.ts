// What passed on a USB bus: one transfer, one SCSI command over it.

import type { WireCommand } from "@drydock/core/dissect/storage-wire";

export type TransferResult = "ok" | "stall" | "cancelled" | "gone" | "error" | "pending";

export interface UsbTransfer {
  readonly device: number;
  /** With the direction bit; 0x00 and 0x80 are the default pipe. */
  readonly endpoint: number;
  readonly kind: "control" | "bulk" | "interrupt" | "isochronous";
  readonly setup: Uint8Array | null;
  /** The first bytes of the data. */
  readonly data: Uint8Array;
  /** Bytes asked for, -1 when unknown, and bytes that moved. */
  readonly requested: number;
  readonly moved: number;
  readonly result: TransferResult;
  /** What the capture says beside it: a driver call, in ours. */
  readonly comment: string;
}

/** A SCSI command over USB mass storage. */
export interface ScsiCommandFact {
  readonly command: WireCommand;
  /** bInterfaceProtocol of the device's alternate settings: 50h Bulk-Only, 62h UAS. Empty when not in the capture. */
  readonly protocols: readonly number[];
}
