// What a SCSI target is to whatever carries its commands: a BOT or UAS device, an iSCSI target, an HBA's model.

/** Which way a command's data goes, seen from the initiator (SAM-5 §4.2). */
export const ScsiDirection = { none: 0, in: 1, out: 2 } as const;
export type ScsiDirection = (typeof ScsiDirection)[keyof typeof ScsiDirection];

/** Status of a command (SAM-5 §5.3.1). */
export const ScsiStatus = {
  good: 0x00,
  checkCondition: 0x02,
  conditionMet: 0x04,
  busy: 0x08,
  reservationConflict: 0x18,
  taskSetFull: 0x28,
  acaActive: 0x30,
  taskAborted: 0x40,
} as const;
export type ScsiStatus = (typeof ScsiStatus)[keyof typeof ScsiStatus];

/** Largest CDB (SPC-4 §4.2.5, variable length) and largest sense data (SPC-4 §4.5.1) kept. */
export const scsiCdbMaximum = 32;
export const scsiSenseMaximum = 252;

/**
 * One command from its CDB to its status. The carrier owns and reuses it; between `begin` and the end it is lent to
 * the target. All fields are always present.
 */
export class ScsiTask {
  /** Who asks: reservations and unit attentions are per initiator. Small numbers, given by the carrier. */
  initiator = 0;
  /** Logical unit number, 0 to 16383. */
  lun = 0;
  /** The carrier's own: a tag, a slot. The target does not look at it. */
  tag = 0;
  readonly cdb: Uint8Array = new Uint8Array(scsiCdbMaximum);
  cdbBytes = 0;

  /**
   * Set by `begin`: what the command itself says about its data, whatever the carrier was told. `execute` lowers
   * `transferBytes` when the answer is shorter than the allocation length: it is then what would move if there were room.
   */
  direction: ScsiDirection = ScsiDirection.none;
  transferBytes = 0;

  /** Set by the carrier before `execute`: holds the data (out) or has room for it (in), from `dataOffset`. */
  data: Uint8Array = noBytes;
  dataOffset = 0;
  /** Room or data there; less than `transferBytes` when the initiator expects less: the rest is cut off. */
  dataBytes = 0;

  /** Set by the target at the end. */
  status: ScsiStatus = ScsiStatus.good;
  /** In: bytes written into `data`. Out: bytes of `data` used. */
  movedBytes = 0;
  readonly sense: Uint8Array = new Uint8Array(scsiSenseMaximum);
  senseBytes = 0;
}

const noBytes = new Uint8Array(0);

/** Told once per task for which `execute` answered false, never from inside a call of the target. */
export interface ScsiTargetClient {
  finished(task: ScsiTask): void;
  /**
   * Transport ID of an initiator port (SPC-4 §7.6.4), for PERSISTENT RESERVE IN's full status. Carriers that have no
   * such names leave it out. May be called from inside `execute`.
   */
  transportIdOf?(initiator: number): Uint8Array;
}

/**
 * A target with one or more logical units. It answers like hardware: by status and sense, never by exceptions; CDBs
 * may be hostile. Order of use per task: `begin`, then, unless it was over at once, `execute`.
 */
export interface ScsiTargetPort {
  /** Once, before anything else. Several carriers take turns by wrapping, not by connecting twice. */
  connect(client: ScsiTargetClient): void;
  /**
   * Reads the CDB and sets `direction` and `transferBytes`. True: the command is over already (refused, unit
   * attention, reservation conflict); status and sense are set and no data moves.
   */
  begin(task: ScsiTask): boolean;
  /**
   * Does it. True: over, results are set. False: `finished` follows, exactly once (also after `abort`, with TASK
   * ABORTED, unless it was done before).
   */
  execute(task: ScsiTask): boolean;
  /** ABORT TASK. Ignored for tasks that are not under way. */
  abort(task: ScsiTask): void;
  /**
   * CLEAR TASK SET of another initiator ended commands of this one: with its next command it hears COMMANDS CLEARED BY
   * ANOTHER INITIATOR (SAM-5 §5.14, §7.4; the Control page's TAS is 0). The carrier has aborted them.
   */
  commandsCleared(lun: number, initiator: number): void;
  /** LOGICAL UNIT RESET (SAM-5 §7.7): aborts the unit's tasks, sets unit attentions. */
  resetUnit(lun: number): void;
  /** A hard reset of the target (bus reset, BOT reset of all units). */
  resetTarget(): void;
  /**
   * The initiator logged out or vanished (I_T NEXUS LOSS, SAM-5 §7.6): its tasks are aborted, its SPC-2 reservation and
   * its prevention of medium removal end. Persistent reservations stay. Carriers with one lasting initiator never call it.
   */
  nexusLost(initiator: number): void;
  /** Power to the medium is cut and comes back: what was not flushed is lost. */
  powerCycle(): void;
}
