// SCSITask: one command on its way from a class driver through a transport to a logical unit and back.

/** Direction of the data, kSCSIDataTransfer_* (driverkit-families.md §5.3). */
export const kSCSIDataTransfer_NoDataTransfer = 0;
export const kSCSIDataTransfer_FromInitiatorToTarget = 1;
export const kSCSIDataTransfer_FromTargetToInitiator = 2;

/** SCSIServiceResponse. */
export const kSCSIServiceResponse_Request_In_Process = 0;
export const kSCSIServiceResponse_SERVICE_DELIVERY_OR_TARGET_FAILURE = 1;
export const kSCSIServiceResponse_TASK_COMPLETE = 2;
export const kSCSIServiceResponse_FUNCTION_COMPLETE = 4;
export const kSCSIServiceResponse_FUNCTION_REJECTED = 5;

/** SCSITaskStatus of a command that reached the unit (SAM-5 §5.3.1). */
export const kSCSITaskStatus_GOOD = 0x00;
export const kSCSITaskStatus_CHECK_CONDITION = 0x02;
export const kSCSITaskStatus_BUSY = 0x08;
export const kSCSITaskStatus_TASK_SET_FULL = 0x28;

/** Longest CDB and sense data carried. */
export const scsiTaskCdbMaximum = 32;
export const scsiTaskSenseMaximum = 252;

/** Told once per accepted task; never from inside the call that sent it. */
export interface ScsiTaskClient {
  taskCompleted(task: SCSITask): void;
}

const noBytes = new Uint8Array(0);

/**
 * Owned and reused by whoever sends commands; lent to the transport between `sendCommand` and `taskCompleted`. All
 * fields are always present, so that the data path allocates nothing.
 */
export class SCSITask {
  readonly client: ScsiTaskClient;
  /** The owner's own: a slot. */
  readonly number: number;
  lun = 0;
  readonly cdb: Uint8Array = new Uint8Array(scsiTaskCdbMaximum);
  cdbBytes = 0;
  direction = kSCSIDataTransfer_NoDataTransfer;
  /** The transport's until completion. */
  data: Uint8Array = noBytes;
  dataOffset = 0;
  /** Requested byte count. */
  dataBytes = 0;
  /** Milliseconds until the transport gives up on it; 0 never. */
  timeoutMs = 0;
  /** Set by the transport at completion. */
  serviceResponse = kSCSIServiceResponse_Request_In_Process;
  status = kSCSITaskStatus_GOOD;
  /** The transport gave up on it after `timeoutMs`: TaskTimeoutOccurred, with a delivery failure. */
  hasTimedOut = false;
  /** Realised byte count. */
  realizedBytes = 0;
  readonly sense: Uint8Array = new Uint8Array(scsiTaskSenseMaximum);
  senseBytes = 0;

  constructor(client: ScsiTaskClient, number: number) {
    this.client = client;
    this.number = number;
  }

  /** The command reached the unit and was GOOD. */
  get isGood(): boolean {
    return (
      this.serviceResponse === kSCSIServiceResponse_TASK_COMPLETE && this.status === kSCSITaskStatus_GOOD
    );
  }

  noData(): void {
    this.direction = kSCSIDataTransfer_NoDataTransfer;
    this.data = noBytes;
    this.dataOffset = 0;
    this.dataBytes = 0;
  }
}
