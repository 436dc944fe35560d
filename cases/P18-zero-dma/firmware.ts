// P18 from the other side: a driver that does everything right, and firmware that loses the bytes in six ways.

import { hex } from "@drydock/core/base/text";
import type { FirmwareFault } from "@drydock/core/devices/ring-hba/ring-hba-firmware";
import { ringHbaBundle } from "@drydock/core/drivers/ring-hba/ring-hba-bundle";
import { RingHbaDriver } from "@drydock/core/drivers/ring-hba/ring-hba-driver";
import type {
  SCSIUserParallelResponse,
  SCSIUserParallelTask,
} from "@drydock/core/families/scsi/io-user-scsi-parallel-interface-controller";
import { RingHbaRig } from "@drydock/core/rigs/ring-hba-rig";
import type { OSAction } from "@drydock/core/runtime/action";
import type { IOMemoryDescriptor } from "@drydock/core/runtime/memory";
import type { ServiceClass } from "@drydock/core/runtime/service";
import type { CaseOptions, CaseRun } from "../driver-case.ts";
import {
  byteWords,
  type DextLedger,
  firstBytes,
  inquiry,
  LedgerBench,
  postedAddress,
  postedProfile,
  postedTarget,
} from "./ledger-bench.ts";

/** Looks at the first INQUIRY's bytes when the reply has come, as many as it counts, and writes the post's lines. */
function lookingDriver(ledger: DextLedger): ServiceClass {
  return class RingHbaLookingDriver extends RingHbaDriver {
    #view: IOMemoryDescriptor | null = null;
    #inquiryId = 0;

    override userProcessParallelTask(request: SCSIUserParallelTask, completion: OSAction | null): number {
      const { fControllerTaskIdentifier: taskId, fTargetID: targetId } = request;
      const isFirst =
        this.#inquiryId === 0 &&
        request.fCommandDescriptorBlock[0] === inquiry &&
        request.fRequestedTransferCount === firstBytes;
      if (isFirst) {
        this.#inquiryId = taskId;
        this.#view = this.userGetDataBuffer(targetId, taskId);
        ledger.entry = { address: request.fBufferIOVMAddr, isLocal: false };
      }
      return super.userProcessParallelTask(request, completion);
    }

    override parallelTaskCompletion(response: SCSIUserParallelResponse): void {
      if (response.fControllerTaskIdentifier === this.#inquiryId && ledger.look === null) {
        const seen = new Array<number>(firstBytes).fill(0);
        const count = Math.min(firstBytes, response.fBytesTransferred);
        for (let at = 0; at < count; at++) seen[at] = this.#view?.bytes[at] ?? 0;
        ledger.look = { what: "the task's buffer", isCompleted: false, bytes: seen };
        this.log("P18 completion: ReplyStatus 0, SCSIStatus 0");
        this.log(`P18 data in the dext: ${byteWords(seen)}`);
      }
      super.parallelTaskCompletion(response);
    }
  };
}

export class FirmwareBench extends LedgerBench<RingHbaRig> {
  readonly #arrivals: { readonly address: number; readonly owner: string }[] = [];

  /** `fault` null: firmware that does what it says. */
  constructor({ seed, turn }: CaseOptions, fault: FirmwareFault | null) {
    const dext: DextLedger = { look: null, entry: null };
    super(
      new RingHbaRig({
        seed,
        turn,
        profile: postedProfile,
        dmaWindowBase: postedAddress,
        device: { latencyNs: [20_000, 20_000], ...(fault === null ? {} : { fault }) },
        target: postedTarget,
        bundles: [ringHbaBundle(lookingDriver(dext))],
      }),
      dext,
    );
    this.rig.pci.iommu.onWritten = ({ owner }, address, lengthBytes) => {
      if (lengthBytes === firstBytes) this.#arrivals.push({ address, owner });
    };
  }

  protected override hardwareRows(): string[] {
    const { device, pci } = this.rig;
    const [report] = device.reports.filter(({ movedBytes }) => movedBytes === firstBytes || movedBytes === 0);
    const refusal = pci.iommu.refusals.find(
      ({ isWrite, lengthBytes }) => isWrite && lengthBytes === firstBytes,
    );
    const isLate = report !== undefined && refusal !== undefined && refusal.timeNs > report.atNs;
    const rows =
      report === undefined
        ? []
        : [
            `firmware's reply: ${report.movedBytes} of 6 bytes, posted ${isLate ? "before" : "after"} the device's write`,
          ];
    const [arrival] = this.#arrivals;
    const address = this.dext.entry?.address;
    const requester = this.rig.family.devices[0]?.location ?? refusal?.requester;
    if (refusal !== undefined && refusal.requester !== requester)
      rows.push(
        `device write: ${this.refused(refusal)}; its requester was ${refusal.requester}, the function is ${requester}`,
      );
    else if (arrival !== undefined && arrival.address !== address)
      rows.push(`device write: delivered at 0x${hex(arrival.address)} into "${arrival.owner}"`);
    else rows.push(this.astray(device.memory.writes[0]) ?? "device write: delivered");
    return rows;
  }
}

export async function runFirmware(fault: FirmwareFault | null, options: CaseOptions): Promise<CaseRun> {
  const bench = new FirmwareBench(options, fault);
  await bench.run();
  return bench.caseRun(fault === null);
}
