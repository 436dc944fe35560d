// What a page and a session say to each other: plain objects, the same through a worker's port and a socket.

import type { FlushStory } from "@drydock/core/trials/durability-prover";
import type { ActName } from "./acts.ts";
import type { DoneAct } from "./done-act.ts";
import type { RowCells } from "./shown-row.ts";
import type { ViewAnswer, ViewAsk } from "./views.ts";

export type { RowCells } from "./shown-row.ts";

/** What a session runs. The address of a page says the same (`page/address.ts`). */
export interface Opening {
  /** Name of a rig of the catalogue, or a case's id. */
  readonly what: string;
  /** Of a case only. */
  readonly side: "bad" | "good";
  readonly seed: number;
  /** Of a rig: as `--fault` takes them. Of a case that has several causes: the one that is played. */
  readonly faults: readonly string[];
  /** Runs by itself from the beginning; otherwise it stands at time 0. */
  readonly isRunning: boolean;
  /** Of a case that can be played so: its cable is pulled before this step; 0 or absent: as the case tells it. */
  readonly unplugAt?: number;
}

/** `value` is what the act's argument holds, as text: a number, a rule, bytes as they were typed. */
export interface ActAsk {
  readonly name: ActName;
  readonly value: string;
}

/** A part of the seeds that are tried: every `step`-th from `first` up to `count`, each with the same acts at the same times. */
export interface SeedShare {
  readonly opening: Opening;
  readonly acts: readonly DoneAct[];
  readonly timeNs: number;
  readonly first: number;
  readonly step: number;
  readonly count: number;
}

export type ToSession =
  /** Answered with a `searched` for each seed, until one fails. */
  | { readonly kind: "search"; readonly share: SeedShare }
  /** `number`: a state that answers it, or comes later, says it. */
  | { readonly kind: "open"; readonly opening: Opening; readonly number: number }
  /** Whether somebody is there: answered with a pong, whatever else is under way. */
  | { readonly kind: "ping" }
  | { readonly kind: "act"; readonly act: ActAsk }
  /** What is under way is given up, if it is long; taken at once, whatever waits. */
  | { readonly kind: "cancel" }
  /** Rows by place in the shown list (all rows, or the filter's hits). */
  | { readonly kind: "rows"; readonly id: number; readonly from: number; readonly count: number }
  | { readonly kind: "row"; readonly id: number; readonly sequence: number }
  | { readonly kind: "filter"; readonly wish: RowWish }
  /** The next hit behind a row, or the one before it; a differing row where there is no filter. */
  | { readonly kind: "hit"; readonly id: number; readonly sequence: number; readonly isBack: boolean }
  /** The place in the shown list of the row with this sequence, or of the nearest after it. */
  | { readonly kind: "place"; readonly id: number; readonly sequence: number }
  | { readonly kind: "file"; readonly id: number; readonly form: FileForm; readonly evidence?: number }
  /** What a screen shows besides rows. */
  | { readonly kind: "view"; readonly id: number; readonly ask: ViewAsk };

/** Every row; one row a transfer, its answer joined to it; what the driver called, logged, and what befell it. */
export const rowLevels = ["rows", "transfers", "calls"] as const;
export type RowLevel = (typeof rowLevels)[number];

/** Which rows are listed. */
export interface RowWish {
  /** The filter. */
  readonly text: string;
  readonly level: RowLevel;
  /** Runs of equal rows are one row with their count and their bytes. */
  readonly isFolded: boolean;
  /** Everything stays listed, and what the filter finds is marked in it; otherwise only that is listed. */
  readonly isMarked: boolean;
}

export const everyRow: RowWish = { text: "", level: "rows", isFolded: false, isMarked: false };

/** Parts of the list, from its first row to its last, of which a scrollbar shows whether a hit lies there. */
export const markParts = 200;

/** `evidence` is one of the state's evidence files, by its place. */
export type FileForm = "pcapng" | "perfetto" | "registry" | "text" | "evidence";

/** A part of a row's bytes with its meaning. */
export interface ByteField {
  readonly name: string;
  readonly value: string;
  readonly from: number;
  readonly to: number;
  /** Why this value cannot be right. */
  readonly problem?: string;
}

export interface RowDetail {
  readonly cells: RowCells;
  readonly fields: readonly ByteField[];
  readonly bytes: Uint8Array;
  /** Bytes of the row beyond those that are sent. */
  readonly more: number;
  readonly cause: RowCells | "lost" | null;
  readonly effects: readonly RowCells[];
}

/** A thing of the rig as its picture draws it, from the outlets down to the devices. */
export interface RigBox {
  readonly id: string;
  readonly floor: "outlet" | "driver" | "port" | "transport" | "device";
  readonly name: string;
  readonly state: "running" | "stopped" | "faulted" | "gone";
  /** Of a device: where it is plugged in, from 1; 0 elsewhere. */
  readonly connector: number;
  /** One line more: what to say of it. */
  readonly note: string;
}

export interface Difference {
  /** Sequence here of the first row that differs; null when none does. */
  readonly sequence: number | null;
  readonly here: string;
  readonly there: string;
  /** What was compared with. */
  readonly against: string;
  /** Both sides from a little before it: where one has ended, the other goes on alone. */
  readonly rows: readonly DifferenceRow[];
}

interface DifferenceRow {
  readonly here: { readonly sequence: number; readonly text: string } | null;
  readonly there: { readonly sequence: number; readonly text: string } | null;
  readonly isEqual: boolean;
}

/** Everything that a page shows besides rows; sent whole, at most once for each turn of the session. */
export interface SessionState {
  readonly opening: Opening;
  /** The number of the message that opened it. */
  readonly opened: number;
  readonly title: string;
  readonly isCase: boolean;
  readonly mode: "busy" | "paused" | "running" | "ended" | "stopped";
  /** What it is busy with, with numbers; why it stopped. */
  readonly note: string;
  readonly timeNs: number;
  readonly steps: number;
  /** Sequence of the oldest row that is kept and of the next one; what lies before was given up and counted. */
  readonly oldest: number;
  readonly next: number;
  /** Rows that were given up, or never came from a server. */
  readonly lost: number;
  /** Rows in the shown list. */
  readonly shown: number;
  readonly wish: RowWish;
  /** Rows that were not looked at yet. */
  readonly unfiltered: number;
  /** Rows that the filter finds; those of the list when it lists nothing else. */
  readonly hits: number;
  /** Parts of the list, of `markParts`, in which a marked hit or a differing row lies. */
  readonly marks: readonly number[];
  /** Why the filter is none; empty when it is one. */
  readonly filterProblem: string;
  /** Rows since the session began: what crosses the wire, whatever was given up. */
  readonly transfers: number;
  /** 0: as fast as it goes. */
  readonly speed: number;
  readonly boxes: readonly RigBox[];
  readonly acts: readonly ActName[];
  /** What to type for the same with the command line. */
  readonly command: string;
  /** Of a rig of the page: what was done by hand, a line each, with where it stood then and now. */
  readonly script: readonly string[];
  readonly tryThis: readonly string[];
  readonly failures: readonly string[];
  readonly result: { readonly succeeded: boolean; readonly text: string } | null;
  readonly difference: Difference | null;
  readonly digest: string;
  /** What became of flushes, layer by layer, and the layer that swallowed one; null where there is no disk, or no flush yet. */
  readonly ledger: FlushStory | null;
  /** Names of files that the run left for a person, or the doctor, to read. */
  readonly evidence: readonly string[];
  /** Of a case whose cable can be pulled anywhere: how many steps it has; 0 of every other. */
  readonly unplugSteps: number;
  /** Of a case: causes of its symptom, of which one can be the opening's fault. */
  readonly causes: readonly string[];
  /** What came out of the serial port, at most its newest part; and how many characters came in all. */
  readonly console: string;
  readonly consoleLength: number;
  /** What this side holds of the lines of the open port. */
  readonly modemLines: { readonly dtr: boolean; readonly rts: boolean };
  readonly isConsoleOpen: boolean;
}

/** What a rig of the server says of itself: the same for all who watch it, and their pages add the rows that came. */
export type SharedState = Pick<
  SessionState,
  | "title"
  | "mode"
  | "note"
  | "timeNs"
  | "speed"
  | "boxes"
  | "acts"
  | "command"
  | "tryThis"
  | "failures"
  | "difference"
  | "digest"
  | "ledger"
  | "console"
  | "consoleLength"
  | "modemLines"
  | "isConsoleOpen"
>;

/** Of a rig that says nothing more about itself. */
export const plainState: Omit<SharedState, "title" | "boxes" | "acts" | "timeNs" | "command"> = {
  mode: "running",
  note: "",
  speed: 1,
  tryThis: [],
  failures: [],
  difference: null,
  digest: "",
  ledger: null,
  console: "",
  consoleLength: 0,
  modemLines: { dtr: false, rts: false },
  isConsoleOpen: false,
};

export type FromSession =
  | { readonly kind: "state"; readonly state: SessionState }
  | { readonly kind: "rows"; readonly id: number; readonly from: number; readonly rows: readonly RowCells[] }
  | { readonly kind: "row"; readonly id: number; readonly detail: RowDetail | null }
  | { readonly kind: "place"; readonly id: number; readonly place: number }
  /** Its sequence; 0: there is none in that direction. */
  | { readonly kind: "hit"; readonly id: number; readonly sequence: number }
  | {
      readonly kind: "file";
      readonly id: number;
      readonly name: string;
      readonly type: string;
      readonly body: Uint8Array | string;
    }
  | { readonly kind: "view"; readonly id: number; readonly answer: ViewAnswer }
  | { readonly kind: "pong" }
  /** A seed of a share was tried; `why` empty: it does not fail. */
  | { readonly kind: "searched"; readonly seed: number; readonly why: string }
  /** Something to say once: an act's answer, a refusal. */
  | { readonly kind: "said"; readonly text: string; readonly isRefusal: boolean };
