// P18: a RAID-on-chip with the post's INQUIRY answer, one driver, and the ledger of everything that moved.

import { hex } from "@drydock/core/base/text";
import { megaRaidBundle } from "@drydock/core/drivers/megaraid/megaraid-bundle";
import type { ParallelTaskEvent } from "@drydock/core/families/scsi/parallel-controller";
import { withBouncedDma } from "@drydock/core/faults/bounced-dma";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import type { ScsiTargetPort, ScsiTask } from "@drydock/core/ports/scsi-target";
import { ScsiTargetFilter } from "@drydock/core/ports/scsi-target-filter";
import { RaidRig } from "@drydock/core/rigs/raid-rig";
import type { HostTurn } from "@drydock/core/runtime/scheduler";
import { byteWords, type DextLedger, type ZeroDmaFault, zeroDmaDriver } from "./faults.ts";

export interface ZeroDmaOptions {
  readonly seed: number;
  readonly turn: HostTurn;
  /** Null: the good driver. */
  readonly fault: ZeroDmaFault | null;
  /** Where device addresses begin: by default where the post's was. */
  readonly windowBase?: number;
}

/** The post's address, and the six bytes that the firmware held. */
export const postedAddress = 0x801c_0000;
const answer = [0x00, 0x00, 0x05, 0x12, 0x1f, 0x00];
const inquiry = 0x12;

/** Direct access, SPC-3, response format 2 with HiSup, 31 more bytes: what the post's log shows. */
class PostedInquiry extends ScsiTargetFilter {
  override execute(task: ScsiTask): boolean {
    const isOver = super.execute(task);
    if (task.cdb[0] !== inquiry || (task.cdb[1] & 1) !== 0) return isOver;
    for (const [at, byte] of answer.entries())
      if (at < task.movedBytes) task.data[task.dataOffset + at] = byte;
    task.movedBytes = Math.min(task.movedBytes, answer[4] + 5);
    return isOver;
  }
}

export class ZeroDmaBench {
  readonly rig: RaidRig;
  readonly dext: DextLedger = { look: null, entry: null };
  /** Rows of the ledger: the first INQUIRY, from the mapping to the response. */
  readonly rows: string[] = [];
  #inquiry: ParallelTaskEvent["task"] | null = null;

  constructor(options: ZeroDmaOptions) {
    const { seed, turn, fault } = options;
    this.rig = new RaidRig({
      seed,
      turn,
      profile: { ...platformProfile("macos26"), checksEntitlements: false },
      dmaWindowBase: options.windowBase ?? postedAddress,
      device: { startStates: [], latencyNs: [20_000, 20_000] },
      target: (disk): ScsiTargetPort => new PostedInquiry(disk),
      bundles: [megaRaidBundle(zeroDmaDriver(fault, this.dext), { className: "P18Driver" })],
      // Memory beyond what the adapter reaches is bounced, and a copy shows at completion alone.
      ...(fault === "looks-early" ? { middleware: withBouncedDma } : {}),
    });
    const { machine, scsi } = this.rig;
    machine.onRegistered(() => {
      for (const controller of scsi.controllers) controller.onTask ??= (event) => this.#noteTask(event);
    });
    const told = this.rig.pci.iommu.onRefused;
    this.rig.pci.iommu.onRefused = (refusal) => {
      told?.(refusal);
      // macOS 26 keeps twenty bytes of each fault on the nub (posts.md T6); what they mean is not published.
      for (const nub of this.rig.family.devices)
        nub.properties["pci-dart-error-data"] ??= new Uint8Array(20).fill(refusal.address & 0xff);
    };
  }

  /** Until a disk is there, or nothing more happens. */
  async run(): Promise<void> {
    const { scheduler } = this.rig.machine;
    await scheduler.run(scheduler.nowNs() + 60e9, () => this.rig.media.length > 0);
    await scheduler.run(scheduler.nowNs() + 1e9);
  }

  /** The ledger as a file: what became of the first INQUIRY's six bytes. */
  ledgerText(): string {
    const { iommu } = this.rig.pci;
    const { entry, look } = this.dext;
    const rows = [...this.rows];
    if (entry !== null)
      rows.splice(
        1,
        0,
        `scatter entry: 0x${hex(entry.address)}, 6 bytes, ${entry.isLocal ? "local" : "system"} memory`,
      );
    const [local] = this.rig.device.memory.localWrites;
    const refusal = iommu.refusals.find(({ isWrite, lengthBytes }) => isWrite && lengthBytes === 6);
    if (local !== undefined)
      rows.push(
        `device write: went to local memory at 0x${hex(local.address)}: ${byteWords([...local.bytes])}`,
      );
    else if (refusal !== undefined)
      rows.push(
        `device write: refused at 0x${hex(refusal.address)}: ${refusal.reason}; nearest ${refusal.nearest ?? "nothing"}, missed by ${refusal.missedByBytes ?? "everything"} bytes`,
      );
    else rows.push("device write: delivered");
    if (look !== null)
      rows.push(
        `dext looked at ${look.what} ${look.isCompleted ? "after" : "before"} completion: ${byteWords(look.bytes)}`,
      );
    return rows.map((row) => `DMA ledger: ${row}\n`).join("");
  }

  #noteTask({ kind, mapping, request, response, task }: ParallelTaskEvent): void {
    const isFirst = this.#inquiry === null && task.cdb[0] === inquiry && task.dataBytes === 6;
    if (kind === "handed over" && isFirst && mapping !== null) {
      this.#inquiry = task;
      this.rows.push(
        `task INQUIRY: 6 bytes wanted, mapped at 0x${hex(request.fBufferIOVMAddr)}, device may write, ${mapping.isBounced ? "bounced" : "not bounced"}`,
      );
    } else if (kind === "completed" && task === this.#inquiry && this.rows.length === 1) {
      const held = [...task.data.subarray(task.dataOffset, task.dataOffset + 6)];
      this.rows.push(
        `response: fBytesTransferred ${response?.fBytesTransferred} of 6; the buffer holds ${byteWords(held)} after completion`,
      );
    }
  }
}
