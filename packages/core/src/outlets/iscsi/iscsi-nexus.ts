// What a connection asks of its target and a target of its connections: neither needs to know the other's file.

import type { Clock } from "../../base/clock.ts";
import type { ScsiTargetPort } from "../../ports/scsi-target.ts";
import type { IscsiMemory } from "./iscsi-buffers.ts";
import type { ChapSecret } from "./iscsi-login.ts";
import type { IscsiTask } from "./iscsi-task.ts";

export interface IscsiTargetOptions {
  /** For example iqn.2026-01.org.example:disk. */
  readonly name: string;
  readonly port: ScsiTargetPort;
  /** Who has not logged in after 10 s is let go. */
  readonly clock: Clock;
  readonly alias?: string;
  /** Absent: everybody is let in. */
  readonly chap?: ChapSecret;
  /** Fills an array with bytes that nobody can guess: for CHAP's challenges. */
  readonly randomBytes: (into: Uint8Array) => void;
  /** Short sentences for a live log. */
  readonly onEvent?: (text: string) => void;
}

/** One connection, as its target sees it. */
export interface IscsiNexus {
  /** Closes it, with a reason for the log. */
  end(reason: string): void;
  /** Since when its initiator does not read its answers; -1: it does. */
  readonly fullSinceNs: number;
  /** Its initiator port's number; -1 before it has logged in. */
  readonly initiator: number;
  /** Its tasks of a unit end without a word. True: there were some. */
  clearUnit(lun: number): boolean;
}

/** The target, as its connections see it. */
export interface IscsiTargetSide {
  readonly name: string;
  /** Where initiators reach it, as discovery answers it: host and port. */
  readonly address: string;
  readonly port: ScsiTargetPort;
  readonly options: IscsiTargetOptions;
  /** What all connections have lent together. */
  readonly memory: IscsiMemory;
  /** Tasks that nobody uses. */
  readonly spareTasks: IscsiTask[];
  newSession(): number;
  /** The connection has logged in: it is no longer one of those that may be let go for others. */
  loggedIn(connection: IscsiNexus): void;
  /** The number of an initiator port; null: there is no room for another. */
  login(connection: IscsiNexus, name: string, isid: string): number | null;
  register(task: IscsiTask): void;
  unregister(task: IscsiTask): void;
  /** CLEAR TASK SET: tasks of all initiators but this one's end; who had some is told by the unit. */
  clearOthers(than: IscsiNexus, lun: number): void;
  dropAll(reason: string): void;
  ended(connection: IscsiNexus, initiator: number): void;
}
