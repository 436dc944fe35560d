// Who may do what: SPC-2 reservations and persistent reservations. SPC-4 r37 §5.12, SPC-2 §5.5, SBC-3 table 15.

import { bytesFromHex, hexBytes } from "../../base/text.ts";
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
import type { KeptReservations, ReservationKeeper } from "./kept-reservations.ts";
import type { UnitAttentions } from "./unit-attentions.ts";

/** What a reservation lets pass: everything, what reads, or only its own. */
type AccessKind = "free" | "read" | "write" | "start";

const noBytes = new Uint8Array(0);
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

/** Number of a registrant that has not been heard of since its registration was read from where it was kept. */
const unheard = -2;

interface Registration {
  /** Who it is as long as it is connected; numbers are given again to others. */
  initiator: number;
  /** Who it is for good: its transport ID, hexadecimal, or its number where the carrier has no names. */
  readonly identity: string;
  key: ReservationKey;
}

/** What a unit's reservations need of the unit. */
export interface ReservationHome {
  readonly attentions: UnitAttentions;
  readonly keeper: ReservationKeeper | null;
  transportIdOf(initiator: number): Uint8Array;
  /** PREEMPT AND ABORT took this initiator's registration: its tasks end. */
  onPreempt(initiator: number): void;
}

export class UnitReservations {
  readonly #home: ReservationHome;
  readonly #attentions: UnitAttentions;
  /** Initiator of the SPC-2 reservation, -1 for none. */
  #legacyHolder = -1;
  #registrations: Registration[] = [];
  /** Null: no persistent reservation. `holder` null: all registrants hold it. */
  #held: { readonly type: number; readonly holder: Registration | null } | null = null;
  #generation = 0;
  #persists = false;
  /** Something of it is kept outside. */
  #isKept = false;
  /** Registrants' numbers whose nexus was lost: who comes with one of them may be somebody else. */
  readonly #doubtful = new Set<number>();
  #unheard = 0;

  constructor(home: ReservationHome) {
    this.#home = home;
    this.#attentions = home.attentions;
    const kept = home.keeper?.kept ?? null;
    if (kept !== null) {
      this.#isKept = true;
      this.#persists = true;
      this.#restore(kept);
    }
  }

  /** APTPL can be promised: a disk in memory ends with its process anyway. */
  get canPersist(): boolean {
    return this.#home.keeper?.canKeep ?? true;
  }

  /** Before anything that an initiator's registration decides: finds out who it is, when that is in doubt. */
  meet(initiator: number): void {
    if (this.#unheard === 0 && !this.#doubtful.has(initiator)) return;
    this.#doubtful.delete(initiator);
    const identity = this.#identityOf(initiator);
    for (const entry of this.#registrations) {
      if (entry.identity === identity) this.#bind(entry, initiator);
      else if (entry.initiator === initiator) this.#bind(entry, unheard);
    }
  }

  #bind(entry: Registration, initiator: number): void {
    if (entry.initiator === unheard) this.#unheard--;
    entry.initiator = initiator;
    if (initiator === unheard) this.#unheard++;
  }

  #identityOf(initiator: number): string {
    const transportId = this.#home.transportIdOf(initiator);
    return transportId.length === 0 ? `#${initiator}` : hexBytes(transportId).replaceAll(" ", "");
  }

  /** All of it, for whoever keeps it, or to come back to. */
  snapshot(): KeptReservations {
    const held = this.#held;
    return {
      generation: this.#generation,
      registrations: this.#registrations.map(({ identity, key }) => ({
        transportId: identity.startsWith("#") ? "" : identity,
        key,
      })),
      held:
        held === null
          ? null
          : {
              type: held.type,
              holder: held.holder === null ? -1 : this.#registrations.indexOf(held.holder),
            },
    };
  }

  #restore(state: KeptReservations): void {
    this.#generation = state.generation;
    this.#registrations = state.registrations.map(({ transportId, key }) => ({
      initiator: unheard,
      // Carriers without names have one initiator.
      identity: transportId === "" ? "#0" : transportId,
      key,
    }));
    this.#unheard = this.#registrations.length;
    const { held } = state;
    this.#held =
      held === null
        ? null
        : { type: held.type, holder: held.holder < 0 ? null : this.#registrations[held.holder] };
  }

  /**
   * After PERSISTENT RESERVE OUT changed something: keeps what APTPL promises. True: nothing had to be kept. False:
   * `done` follows; when it says false, everything is again as in `before`.
   */
  keep(before: KeptReservations, persistedBefore: boolean, done: (isKept: boolean) => void): boolean {
    const { keeper } = this.#home;
    if (keeper === null || !keeper.canKeep || !(this.#persists || this.#isKept)) return true;
    const state = this.#persists && this.#registrations.length > 0 ? this.snapshot() : null;
    keeper.keep(state, (isKept) => {
      if (isKept) this.#isKept = state !== null;
      else {
        this.#persists = persistedBefore;
        this.#restore(before);
      }
      done(isKept);
    });
    return false;
  }

  get persists(): boolean {
    return this.#persists;
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
    const { holder } = this.#held;
    return holder === null ? this.#registrationOf(initiator) !== undefined : holder.initiator === initiator;
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
    if (this.#registrationOf(initiator) !== undefined) this.#doubtful.add(initiator);
    if (this.#legacyHolder === initiator) this.#legacyHolder = -1;
  }

  reset(): void {
    this.#legacyHolder = -1;
  }

  powerCycle(): void {
    this.#legacyHolder = -1;
    if (this.#persists) return;
    this.#registrations = [];
    this.#unheard = 0;
    this.#doubtful.clear();
    this.#held = null;
    this.#generation = 0;
  }

  /** Data of PERSISTENT RESERVE IN; null for a service action that does not exist. */
  readIn(action: number): Uint8Array | null {
    if (action === ReserveInAction.readKeys)
      return encodeKeys(
        this.#generation,
        this.#registrations.map(({ key }) => key),
      );
    if (action === ReserveInAction.readReservation) {
      const held = this.#held;
      const key = held?.holder?.key ?? noKey;
      return encodeReservation(this.#generation, held === null ? null : { key, type: held.type });
    }
    if (action === ReserveInAction.reportCapabilities)
      return encodeReservationCapabilities(this.canPersist, this.#persists);
    if (action !== ReserveInAction.readFullStatus) return null;
    const held = this.#held;
    const registrants: FullStatus[] = this.#registrations.map((entry) => ({
      key: entry.key,
      isHolder: held !== null && (held.holder === null || held.holder === entry),
      type: held?.type ?? 0,
      relativePort: 1,
      transportId: entry.identity.startsWith("#") ? noBytes : bytesFromHex(entry.identity),
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
        this.#unheard = 0;
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
    // SPC-4 §6.16.3: APTPL where PTPL_C is 0.
    if (list.throughPowerLoss && !this.canPersist) return SenseCode.invalidFieldInParameterList;
    if (!isIgnoring && (own?.key ?? noKey) !== list.key) return "conflict";
    if (list.actionKey === noKey) {
      if (own !== undefined) this.#unregister(own);
      else if (isIgnoring) return "done";
    } else if (own !== undefined) {
      own.key = list.actionKey;
    } else {
      if (this.#registrations.length >= registrationMaximum)
        return SenseCode.insufficientRegistrationResources;
      this.#registrations.push({ initiator, identity: this.#identityOf(initiator), key: list.actionKey });
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
    if (held.holder === null && this.#registrations.length > 0) return;
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
    this.#held = { type, holder: isShared ? null : own };
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
    const isShared = held !== null && held.holder === null;
    if (victim === noKey && !isShared) return SenseCode.invalidFieldInParameterList;
    const takesAll = isShared && victim === noKey;
    const takesHolder = takesAll || (held !== null && !isShared && held.holder?.key === victim);
    if (takesHolder && (scope !== 0 || !UnitReservations.#isType(type))) return SenseCode.invalidFieldInCdb;
    const gone = this.#registrations.filter((entry) => entry !== own && (takesAll || entry.key === victim));
    const isOwnKey = own.key === victim;
    if (gone.length === 0 && !takesHolder && !isOwnKey) return "conflict";
    this.#generation++;
    const oldType = held?.type ?? 0;
    this.#registrations = this.#registrations.filter((entry) => !gone.includes(entry));
    for (const { initiator } of gone) {
      if (initiator === unheard) this.#unheard--;
      this.#attentions.raiseFor(initiator, SenseCode.registrationsPreempted);
      if (aborts) this.#home.onPreempt(initiator);
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
