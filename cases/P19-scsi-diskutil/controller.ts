// P19: what stands between the class driver and the array, with what it was asked written down.

import { SenseCode, SenseKey } from "@drydock/core/codec/scsi/sense";
import type { ScsiTargetPort, ScsiTask } from "@drydock/core/ports/scsi-target";
import { refuseTask, ScsiTargetFilter } from "@drydock/core/ports/scsi-target-filter";

/** How often each opcode reached the array: the log that the post's author lacked. */
export type OpcodeLog = Map<number, number>;

/** SYNCHRONIZE CACHE(10) and (16). */
export const synchronizeOpcodes: readonly number[] = [0x35, 0x91];
/** READ(16), WRITE(16), SYNCHRONIZE CACHE(16): what blocks beyond 2^32 need. */
const longOpcodes: readonly number[] = [0x88, 0x8a, 0x91];

/** A target that counts opcodes; `refusesLong`: its controller knows no CDBs of 16 bytes and says so (5/20/00). */
export function controllerBefore(
  target: ScsiTargetPort,
  log: OpcodeLog,
  refusesLong: boolean,
): ScsiTargetPort {
  return new CountingController(target, log, refusesLong);
}

class CountingController extends ScsiTargetFilter {
  readonly #log: OpcodeLog;
  readonly #refusesLong: boolean;

  constructor(target: ScsiTargetPort, log: OpcodeLog, refusesLong: boolean) {
    super(target);
    this.#log = log;
    this.#refusesLong = refusesLong;
  }

  override begin(task: ScsiTask): boolean {
    const opcode = task.cdb[0];
    this.#log.set(opcode, (this.#log.get(opcode) ?? 0) + 1);
    if (!this.#refusesLong || !longOpcodes.includes(opcode)) return super.begin(task);
    return refuseTask(task, SenseKey.illegalRequest, SenseCode.invalidCommandOperationCode);
  }
}

/** A controller as a case installs it. */
export type Controller = (target: ScsiTargetPort, log: OpcodeLog) => ScsiTargetPort;
