// P18: a host adapter with the post's INQUIRY answer behind it, and the ledger of what became of the six bytes.

import { hex } from "@drydock/core/base/text";
import type { ParallelTaskEvent } from "@drydock/core/families/scsi/parallel-controller";
import { formatRegistryTree } from "@drydock/core/platform/evidence/registry-dump";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import type { ScsiTargetPort, ScsiTask } from "@drydock/core/ports/scsi-target";
import { ScsiTargetFilter } from "@drydock/core/ports/scsi-target-filter";
import type { ScsiAdapterRig } from "@drydock/core/rigs/scsi-adapter-rig";
import type { RefusedAccess } from "@drydock/core/transports/sim/iommu";
import type { CaseRun } from "../driver-case.ts";

/** The post's address, and the six bytes that the firmware held. */
export const postedAddress = 0x801c_0000;
const answer = [0x00, 0x00, 0x05, 0x12, 0x1f, 0x00];
export const inquiry = 0x12;
export const firstBytes = answer.length;

/** macOS 26, without the question of entitlements. */
export const postedProfile = { ...platformProfile("macos26"), checksEntitlements: false };

/** What the driver looked at when it wrote its line. */
export interface DextLook {
  readonly what: "the task's buffer" | "another buffer" | "nothing";
  readonly isCompleted: boolean;
  readonly bytes: readonly number[];
}

/** What the driver tells the bench. */
export interface DextLedger {
  look: DextLook | null;
  /** The address in the scatter entry, and whose memory it names. */
  entry: { readonly address: number; readonly isLocal: boolean } | null;
}

export const byteWords = (bytes: readonly number[]): string =>
  bytes.map((byte) => byte.toString(16).padStart(2, "0").toUpperCase()).join(" ");

/** Direct access, SPC-3, response format 2 with HiSup, 31 more bytes: what the post's log shows. */
export class PostedInquiry extends ScsiTargetFilter {
  override execute(task: ScsiTask): boolean {
    const isOver = super.execute(task);
    if (task.cdb[0] !== inquiry || (task.cdb[1] & 1) !== 0) return isOver;
    for (const [at, byte] of answer.entries())
      if (at < task.movedBytes) task.data[task.dataOffset + at] = byte;
    task.movedBytes = Math.min(task.movedBytes, answer[4] + 5);
    return isOver;
  }
}

export const postedTarget = (disk: ScsiTargetPort): ScsiTargetPort => new PostedInquiry(disk);

export abstract class LedgerBench<Rig extends ScsiAdapterRig> {
  readonly rig: Rig;
  readonly dext: DextLedger;
  /** Rows of the ledger: the first INQUIRY, from the mapping to the response. */
  readonly rows: string[] = [];
  #inquiry: ParallelTaskEvent["task"] | null = null;

  constructor(rig: Rig, dext: DextLedger) {
    this.rig = rig;
    this.dext = dext;
    const { machine, scsi } = rig;
    machine.onRegistered(() => {
      for (const controller of scsi.controllers) controller.onTask ??= (event) => this.#noteTask(event);
    });
  }

  /** Until a disk is there, or nothing more happens. */
  async run(): Promise<void> {
    const { scheduler } = this.rig.machine;
    await scheduler.run(scheduler.nowNs() + 60e9, () => this.rig.media.length > 0);
    await scheduler.run(scheduler.nowNs() + 1e9);
  }

  /** The ledger as a file: what became of the first INQUIRY's six bytes. */
  ledgerText(): string {
    const { entry, look } = this.dext;
    const rows = [...this.rows];
    if (entry !== null)
      rows.splice(
        1,
        0,
        `scatter entry: 0x${hex(entry.address)}, 6 bytes, ${entry.isLocal ? "local" : "system"} memory`,
      );
    rows.push(...this.hardwareRows());
    if (look !== null)
      rows.push(
        `dext looked at ${look.what} ${look.isCompleted ? "after" : "before"} completion: ${byteWords(look.bytes)}`,
      );
    return rows.map((row) => `DMA ledger: ${row}\n`).join("");
  }

  /** How the run is told to a person, and to the doctor: the ledger, and the nub as ioreg shows it. */
  caseRun(isGood: boolean): CaseRun {
    const { machine, media, family } = this.rig;
    const blocks = media[0]?.geometry.blockCount ?? 0;
    const [nub] = family.devices;
    const recorded = nub?.properties["pci-dart-error-data"];
    // The nub alone: registry ids and what hangs below differ with every start.
    const tree = formatRegistryTree({ ...machine.registry.snapshot(nub), children: [] });
    return {
      succeeded: isGood && blocks > 0,
      result: `the disk has ${blocks} blocks${recorded === undefined ? "" : ", and the IOMMU recorded a fault"}`,
      trace: null,
      timeline: this.rig.timeline,
      dma: { iommu: this.rig.pci.iommu, text: this.ledgerText() },
      // The driver's own lines: what the post shows.
      log: machine.log.show().filter(({ message }) => message.includes("P18 ")),
      evidence: [
        { name: "dma-ledger.txt", text: this.ledgerText() },
        { name: "ioreg.txt", text: tree },
      ],
    };
  }

  /** What the hardware did with the bytes. */
  protected abstract hardwareRows(): string[];

  /** The row of a write that the adapter's own memory took, or that the IOMMU refused; null: neither. */
  protected astray(
    local: { readonly address: number; readonly bytes: Uint8Array } | undefined,
  ): string | null {
    if (local !== undefined)
      return `device write: went to local memory at 0x${hex(local.address)}: ${byteWords([...local.bytes])}`;
    const refusal = this.rig.pci.iommu.refusals.find(
      ({ isWrite, lengthBytes }) => isWrite && lengthBytes === firstBytes,
    );
    return refusal === undefined ? null : `device write: ${this.refused(refusal)}`;
  }

  protected refused({ address, reason, nearest, missedByBytes }: RefusedAccess): string {
    return `refused at 0x${hex(address)}: ${reason}; nearest ${nearest ?? "nothing"}, missed by ${missedByBytes ?? "everything"} bytes`;
  }

  #noteTask({ kind, mapping, request, response, task }: ParallelTaskEvent): void {
    const isFirst = this.#inquiry === null && task.cdb[0] === inquiry && task.dataBytes === firstBytes;
    if (kind === "handed over" && isFirst && mapping !== null) {
      this.#inquiry = task;
      this.rows.push(
        `task INQUIRY: 6 bytes wanted, mapped at 0x${hex(request.fBufferIOVMAddr)}, device may write, ${mapping.isBounced ? "bounced" : "not bounced"}`,
      );
    } else if (kind === "completed" && task === this.#inquiry && this.rows.length === 1) {
      const held = [...task.data.subarray(task.dataOffset, task.dataOffset + firstBytes)];
      this.rows.push(
        `response: fBytesTransferred ${response?.fBytesTransferred} of 6; the buffer holds ${byteWords(held)} after completion`,
      );
    }
  }
}
