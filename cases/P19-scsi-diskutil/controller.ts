// P19: what stands between the class driver and the array, with what it was asked written down.

import type { ScsiTargetClient, ScsiTargetPort, ScsiTask } from "@drydock/core/ports/scsi-target";
import { ScsiStatus } from "@drydock/core/ports/scsi-target";

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
  return {
    connect: (client: ScsiTargetClient) => target.connect(client),
    begin: (task: ScsiTask) => {
      const opcode = task.cdb[0];
      log.set(opcode, (log.get(opcode) ?? 0) + 1);
      if (!refusesLong || !longOpcodes.includes(opcode)) return target.begin(task);
      task.direction = 0;
      task.transferBytes = 0;
      task.movedBytes = 0;
      task.status = ScsiStatus.checkCondition;
      task.sense.fill(0, 0, 18);
      task.sense[0] = 0x70;
      task.sense[2] = 0x05;
      task.sense[7] = 10;
      task.sense[12] = 0x20;
      task.senseBytes = 18;
      return true;
    },
    execute: (task) => target.execute(task),
    abort: (task) => target.abort(task),
    resetUnit: (lun) => target.resetUnit(lun),
    resetTarget: () => target.resetTarget(),
    nexusLost: (initiator) => target.nexusLost(initiator),
    powerCycle: () => target.powerCycle(),
  };
}

/** A controller as a case installs it. */
export type Controller = (target: ScsiTargetPort, log: OpcodeLog) => ScsiTargetPort;
