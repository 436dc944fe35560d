// What a session needs of the world that it runs in: a turn, a clock, somebody to tell, and what it plays.

import type { RigEntry } from "@drydock/core/rigs/rig-entry";
import type { HostTurn } from "@drydock/core/runtime/scheduler";
import type { EndedRun } from "./lab-run.ts";
import type { FromSession, Opening } from "./messages.ts";
import type { RemoteLink } from "./remote-run.ts";
import type { MakeHands } from "./rig-hands.ts";
import type { SessionLater } from "./session-later.ts";

/** What a session needs of the world that it runs in. */
export interface LabHost {
  readonly turn: HostTurn;
  /** Milliseconds; only differences count. */
  now(): number;
  /** Lets the host take messages, and comes back after so long. */
  pause(milliseconds: number): Promise<void>;
  send(message: FromSession): void;
  /** Plays a case, or a run of a campaign; null where there is no casebook. Throws RangeError for what does not exist. */
  readonly playEnded: ((opening: Opening, turn: HostTurn) => Promise<EndedRun>) | null;
  /** What writes files of a run and answers for screens besides rows: brought along when one is asked for. */
  later(): Promise<SessionLater>;
  /** For disks and networks of its rigs; null: none of them has one. */
  readonly hands: MakeHands | null;
  /** By name; null: this host has none of that name. */
  findRig(name: string): RigEntry | null;
  /** Reaches a rig of the server, by the name under which it is opened; null where there is no server. Rejects with words for people. */
  readonly connect: ((name: string) => Promise<RemoteLink>) | null;
}
