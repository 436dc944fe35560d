// One SCSI command of an iSCSI connection, from its PDU to its status.

import { ScsiTask } from "../../ports/scsi-target.ts";
import type { OutgoingBuffer } from "./iscsi-buffers.ts";

export const TaskState = {
  free: 0,
  /** Its data is on the way. */
  collecting: 1,
  /** In the hands of the SCSI target. */
  running: 2,
  /** Aborted while running: the target still has to give it back. */
  aborted: 3,
} as const;
export type TaskState = (typeof TaskState)[keyof typeof TaskState];

const noBytes = new Uint8Array(0);

/** Who is told when the SCSI target has finished a task. */
export interface IscsiTaskOwner {
  taskFinished(task: IscsiTask): void;
}

/** Kept and reused by its target. */
export class IscsiTask {
  readonly scsi = new ScsiTask();
  connection: IscsiTaskOwner | null = null;
  state: TaskState = TaskState.free;
  initiatorTaskTag = 0;
  /** Expected data transfer length of the PDU, and its R and W flags. */
  expectedBytes = 0;
  isRead = false;
  isWrite = false;
  /** The command was over when it began; its data is only swallowed. */
  isOver = false;
  /** Out: bytes wanted, bytes there, end of the burst that is under way, and whether it was asked for. */
  wantedBytes = 0;
  receivedBytes = 0;
  burstEnd = 0;
  nextDataSn = 0;
  r2tSn = 0;
  targetTransferTag = 0;
  /** In: memory for data that is not gathered. */
  outgoing: OutgoingBuffer | null = null;
  isUnsolicited = false;
  /** Out: memory for data, lent by the connection; empty when there is none. */
  buffer: Uint8Array = noBytes;
}

/** Bytes that the command would have moved beyond what was expected; negative: how many it moved less (RFC 7143 §11.4.5). */
export function residualOf(task: IscsiTask): number {
  const { scsi } = task;
  const expected = task.isRead || task.isWrite ? task.expectedBytes : 0;
  if (scsi.transferBytes > expected) return scsi.transferBytes - expected;
  return scsi.movedBytes >= expected ? 0 : scsi.movedBytes - expected;
}
