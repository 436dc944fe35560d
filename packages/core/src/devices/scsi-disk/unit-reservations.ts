// Who may do what: SPC-2 reservations and persistent reservations. SPC-4 r37 §5.12, SPC-2 §5.5, SBC-3 table 15.

import { ScsiOpcode, ServiceAction } from "../../codec/scsi/commands.ts";
import {
  encodeFullStatus,
  encodeKeys,
  encodeReservation,
  encodeReservationCapabilities,
  type FullStatus,
  noKey,
  type ReservationKey,
  ReservationType,
  ReserveInAction,
  type ReserveOut,
  ReserveOutAction,
} from "../../codec/scsi/reservations.ts";
import { SenseCode } from "../../codec/scsi/sense.ts";
import type { UnitAttentions } from "./unit-attentions.ts";

/** What a reservation lets pass: everything, what reads, or only its own. */
type AccessKind = "free" | "read" | "write" | "start";

/** Registrations kept; one more is refused with 5/55/04. */
const registrationMaximum = 256;

function accessKind(cdb: Uint8Array): AccessKind {
  switch (cdb[0]) {
    case ScsiOpcode.inquiry:
    case ScsiOpcode.reportLuns:
    case ScsiOpcode.requestSense:
    case ScsiOpcode.testUnitReady:
    case ScsiOpcode.persistentReserveIn:
    case ScsiOpcode.persistentReserveOut:
    case ScsiOpcode.readCapacity10:
    case ScsiOpcode.logSense:
    case ScsiOpcode.maintenanceIn:
      return "free";
    case ScsiOpcode.preventAllowMediumRemoval:
      return (cdb[4] & 1) === 0 ? "free" : "write";
    case ScsiOpcode.startStopUnit:
      return (cdb[4] & 0xf1) === 0x01 ? "free" : "start";
    case ScsiOpcode.serviceActionIn16:
      return (cdb[1] & 0x1f) === ServiceAction.readCapacity16 ? "free" : "read";
    case ScsiOpcode.read6:
    case ScsiOpcode.read10:
    case ScsiOpcode.read12:
    case ScsiOpcode.read16:
    case ScsiOpcode.verify10:
    case ScsiOpcode.verify12:
    case ScsiOpcode.verify16:
    case ScsiOpcode.prefetch10:
    case ScsiOpcode.prefetch16:
    case ScsiOpcode.modeSense6:
    case ScsiOpcode.modeSense10:
    case ScsiOpcode.readDefectData10:
    case ScsiOpcode.readDefectData12:
    case ScsiOpcode.readBuffer:
      return "read";
    case ScsiOpcode.variableLength: {
      const action = (cdb[8] << 8) | cdb[9];
      return action === ServiceAction.read32 || action === ServiceAction.verify32 ? "read" : "write";
    }
    default:
      return "write";
  }
}

/** Result of PERSISTENT RESERVE OUT: done, RESERVATION CONFLICT, or a sense code of ILLEGAL REQUEST. */
export type ReserveResult = "done" | "conflict" | number;

interface Registration {
  readonly initiator: number;
  key: ReservationKey;
}

export class UnitReservations {
  readonly #attentions: UnitAttentions;
  readonly #onPreempt: (initiator: number) => void;
  /** Initiator of the SPC-2 reservation, -1 for none. */
  #legacyHolder = -1;
  #registrations: Registration[] = [];
  /** Null: no persistent reservation. `initiator` -1: all registrants hold it. */
  #held: { type: number; initiator: number; key: ReservationKey } | null = null;
  #generation = 0;
  #persists = false;

  constructor(attentions: UnitAttentions, onPreempt: (initiator: number) => void) {
    this.#attentions = attentions;
    this.#onPreempt = onPreempt;
  }

  /** False: every initiator may do everything. */
  get isActive(): boolean {
    return this.#legacyHolder >= 0 || this.#held !== null;
  }

  #registrationOf(initiator: number): Registration | undefined {
    return this.#registrations.find((entry) => entry.initiator === initiator);
  }

  #isHolder(initiator: number): boolean {
    if (this.#held === null) return false;
    return (
      this.#held.initiator === initiator ||
      (this.#held.initiator < 0 && this.#registrationOf(initiator) !== undefined)
    );
  }

  /** True: the command is answered with RESERVATION CONFLICT. */
  conflicts(initiator: number, cdb: Uint8Array): boolean {
    const opcode = cdb[0];
    const isLegacy =
      opcode === ScsiOpcode.reserve6 ||
      opcode === ScsiOpcode.reserve10 ||
      opcode === ScsiOpcode.release6 ||
      opcode === ScsiOpcode.release10;
    if (isLegacy) return false;
    if (this.#legacyHolder >= 0 && this.#legacyHolder !== initiator) {
      const isOpen =
        opcode === ScsiOpcode.inquiry ||
        opcode === ScsiOpcode.reportLuns ||
        opcode === ScsiOpcode.requestSense;
      return !isOpen;
    }
    if (this.#held === null || this.#isHolder(initiator)) return false;
    const kind = accessKind(cdb);
    if (kind === "free") return false;
    const { type } = this.#held;
    const letsRegistrants = type >= ReservationType.writeExclusiveRegistrantsOnly;
    if (letsRegistrants && this.#registrationOf(initiator) !== undefined) return false;
    const isWriteExclusive =
      type === ReservationType.writeExclusive ||
      type === ReservationType.writeExclusiveRegistrantsOnly ||
      type === ReservationType.writeExclusiveAllRegistrants;
    return !(isWriteExclusive && kind === "read");
  }

  /** RESERVE(6) and (10). False: RESERVATION CONFLICT. */
  reserveLegacy(initiator: number): boolean {
    // Both worlds do not mix (SPC-4 §5.12.3, without CRH).
    if (this.#registrations.length > 0) return false;
    if (this.#legacyHolder >= 0 && this.#legacyHolder !== initiator) return false;
    this.#legacyHolder = initiator;
    return true;
  }

  /** RELEASE: from anybody but the holder it is GOOD and does nothing (SPC-2 §7.21.2). False: conflict. */
  releaseLegacy(initiator: number): boolean {
    if (this.#registrations.length > 0) return false;
    if (this.#legacyHolder === initiator) this.#legacyHolder = -1;
    return true;
  }

  nexusLost(initiator: number): void {
    if (this.#legacyHolder === initiator) this.#legacyHolder = -1;
  }

  reset(): void {
    this.#legacyHolder = -1;
  }

  powerCycle(): void {
    this.#legacyHolder = -1;
    if (this.#persists) return;
    this.#registrations = [];
    this.#held = null;
    this.#generation = 0;
  }

  /** Data of PERSISTENT RESERVE IN; null for a service action that does not exist. */
  readIn(action: number, transportIdOf: (initiator: number) => Uint8Array): Uint8Array | null {
    if (action === ReserveInAction.readKeys)
      return encodeKeys(
        this.#generation,
        this.#registrations.map(({ key }) => key),
      );
    if (action === ReserveInAction.readReservation) {
      const held = this.#held;
      const key = held === null || held.initiator < 0 ? noKey : held.key;
      return encodeReservation(this.#generation, held === null ? null : { key, type: held.type });
    }
    if (action === ReserveInAction.reportCapabilities)
      return encodeReservationCapabilities(true, this.#persists);
    if (action !== ReserveInAction.readFullStatus) return null;
    const registrants: FullStatus[] = this.#registrations.map(({ initiator, key }) => ({
      key,
      isHolder: this.#isHolder(initiator),
      type: this.#held?.type ?? 0,
      relativePort: 1,
      transportId: transportIdOf(initiator),
    }));
    return encodeFullStatus(this.#generation, registrants);
  }

  /** PERSISTENT RESERVE OUT (SPC-4 §5.12.7 to §5.12.11). */
  out(initiator: number, action: number, type: number, scope: number, list: ReserveOut): ReserveResult {
    // SPC-2 reservations shut persistent ones out.
    if (this.#legacyHolder >= 0) return "conflict";
    const own = this.#registrationOf(initiator);
    if (action === ReserveOutAction.register || action === ReserveOutAction.registerAndIgnore)
      return this.#register(initiator, own, action === ReserveOutAction.registerAndIgnore, list);
    if (own === undefined || own.key !== list.key) return "conflict";
    switch (action) {
      case ReserveOutAction.reserve:
        return this.#reserve(own, type, scope);
      case ReserveOutAction.release:
        return this.#release(own, type, scope);
      case ReserveOutAction.clear:
        this.#generation++;
        for (const entry of this.#registrations)
          if (entry !== own) this.#attentions.raiseFor(entry.initiator, SenseCode.reservationsPreempted);
        this.#registrations = [];
        this.#held = null;
        return "done";
      case ReserveOutAction.preempt:
      case ReserveOutAction.preemptAndAbort:
        return this.#preempt(own, type, scope, list.actionKey, action === ReserveOutAction.preemptAndAbort);
      default:
        return SenseCode.invalidFieldInCdb;
    }
  }

  #register(
    initiator: number,
    own: Registration | undefined,
    isIgnoring: boolean,
    list: ReserveOut,
  ): ReserveResult {
    if (list.specifyInitiators) return SenseCode.invalidFieldInParameterList;
    if (!isIgnoring && (own?.key ?? noKey) !== list.key) return "conflict";
    if (list.actionKey === noKey) {
      if (own !== undefined) this.#unregister(own);
      else if (isIgnoring) return "done";
    } else if (own !== undefined) {
      if (this.#held?.initiator === initiator) this.#held.key = list.actionKey;
      own.key = list.actionKey;
    } else {
      if (this.#registrations.length >= registrationMaximum)
        return SenseCode.insufficientRegistrationResources;
      this.#registrations.push({ initiator, key: list.actionKey });
    }
    this.#persists = list.throughPowerLoss;
    this.#generation++;
    return "done";
  }

  #unregister(own: Registration): void {
    const wasHolder = this.#isHolder(own.initiator);
    this.#registrations = this.#registrations.filter((entry) => entry !== own);
    const held = this.#held;
    if (held === null || !wasHolder) return;
    // All-registrants reservations end with the last registrant.
    if (held.initiator < 0 && this.#registrations.length > 0) return;
    this.#held = null;
    if (
      held.type === ReservationType.writeExclusiveRegistrantsOnly ||
      held.type === ReservationType.exclusiveAccessRegistrantsOnly
    )
      for (const entry of this.#registrations)
        this.#attentions.raiseFor(entry.initiator, SenseCode.reservationsReleased);
  }

  static #isType(type: number): boolean {
    return type === 1 || type === 3 || (type >= 5 && type <= 8);
  }

  #hold(type: number, own: Registration): void {
    const isShared = type >= ReservationType.writeExclusiveAllRegistrants;
    this.#held = { type, initiator: isShared ? -1 : own.initiator, key: own.key };
  }

  #reserve(own: Registration, type: number, scope: number): ReserveResult {
    if (scope !== 0 || !UnitReservations.#isType(type)) return SenseCode.invalidFieldInCdb;
    if (this.#held === null) {
      this.#hold(type, own);
      return "done";
    }
    return this.#isHolder(own.initiator) && this.#held.type === type ? "done" : "conflict";
  }

  #release(own: Registration, type: number, scope: number): ReserveResult {
    const held = this.#held;
    if (held === null || !this.#isHolder(own.initiator)) return "done";
    if (held.type !== type || scope !== 0) return SenseCode.invalidReleaseOfPersistentReservation;
    this.#held = null;
    if (type >= ReservationType.writeExclusiveRegistrantsOnly)
      for (const entry of this.#registrations)
        if (entry !== own) this.#attentions.raiseFor(entry.initiator, SenseCode.reservationsReleased);
    return "done";
  }

  #preempt(
    own: Registration,
    type: number,
    scope: number,
    victim: ReservationKey,
    aborts: boolean,
  ): ReserveResult {
    const held = this.#held;
    const isShared = held !== null && held.initiator < 0;
    if (victim === noKey && !isShared) return SenseCode.invalidFieldInParameterList;
    const takesAll = isShared && victim === noKey;
    const takesHolder = takesAll || (held !== null && !isShared && held.key === victim);
    if (takesHolder && (scope !== 0 || !UnitReservations.#isType(type))) return SenseCode.invalidFieldInCdb;
    const gone = this.#registrations.filter((entry) => entry !== own && (takesAll || entry.key === victim));
    const isOwnKey = own.key === victim;
    if (gone.length === 0 && !takesHolder && !isOwnKey) return "conflict";
    this.#generation++;
    const oldType = held?.type ?? 0;
    this.#registrations = this.#registrations.filter((entry) => !gone.includes(entry));
    for (const { initiator } of gone) {
      this.#attentions.raiseFor(initiator, SenseCode.registrationsPreempted);
      if (aborts) this.#onPreempt(initiator);
    }
    if (takesHolder) {
      this.#hold(type, own);
      if (oldType !== type && oldType >= ReservationType.writeExclusiveRegistrantsOnly)
        for (const entry of this.#registrations)
          if (entry !== own) this.#attentions.raiseFor(entry.initiator, SenseCode.reservationsReleased);
    }
    return "done";
  }
}
