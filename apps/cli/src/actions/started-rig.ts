// The rig that comes with the board, in a thread of its own: a loop of it holds up neither the board nor other rigs.

import { closeSync } from "node:fs";
import { RigInThread } from "@drydock/board-server/rig-in-thread";
import { removeTerminalLink } from "@drydock/node/terminal-link";
import { holdUntilEnd } from "../grammar/held-claims.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import type { LiveRigOptions } from "./live-rig.ts";
import type { TerminalMade } from "./live-terminals.ts";
import { type RecordingFiles, type Recordings, saveRecordings } from "./recording-files.ts";
import { watchedTitle } from "./watched-rig.ts";

export interface StartedThreadData {
  readonly options: LiveRigOptions;
}

/** What the thread is told besides what watchers say. */
export type ToStartedRig = { readonly kind: "line"; readonly text: string } | { readonly kind: "stop" };

/** What it says besides what watchers are sent. */
export type FromStartedRig =
  | { readonly kind: "say" | "event"; readonly text: string }
  | ({ readonly kind: "terminal" | "no-terminal" } & TerminalMade)
  | { readonly kind: "refused"; readonly text: string }
  | {
      readonly kind: "ended";
      readonly isWell: boolean;
      readonly failure: string;
      readonly nowNs: number;
      readonly recordings: Recordings;
    };

/** How it came to its end. */
export interface StartedEnd {
  readonly isWell: boolean;
  readonly failure: string;
  readonly nowNs: number;
}

const script = new URL("./started-rig-thread.ts", import.meta.url);

export class StartedRig {
  readonly thread: RigInThread<ToStartedRig, FromStartedRig>;
  /** Resolves when it has ended by itself, or after `stop`. A rig that was ended for its loop waits for "Begin again". */
  readonly ended: Promise<StartedEnd>;
  readonly #io: CommandIo;
  readonly #files: RecordingFiles;
  /** Those that are there now, by path. */
  readonly #terminals = new Map<string, TerminalMade>();
  /** Talk that waits until the board has said where it is. */
  #unsaid: (() => void)[] | null = [];
  #isStopping = false;
  #isLost = false;
  #resolve: (end: StartedEnd) => void = () => {};

  /** Comes up at once. `options` are plain values: the thread gets a copy. `from`: another thread, for a test. */
  constructor(
    options: LiveRigOptions,
    files: RecordingFiles,
    io: CommandIo,
    from = { script, patienceMs: 5000 },
  ) {
    this.#io = io;
    this.#files = files;
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.thread = new RigInThread(
      from.script,
      {
        name: "the rig of this desk",
        summary: watchedTitle(options),
        data: { options } satisfies StartedThreadData,
        onOther: (message) => this.#take(message),
        onLost: (why) => this.#lost(why),
      },
      from.patienceMs,
    );
    holdUntilEnd(() => this.#letGo());
    this.thread.begin();
  }

  /** What it has said so far, and from now on at once. */
  listen(): void {
    for (const speak of this.#unsaid ?? []) speak();
    this.#unsaid = null;
  }

  #aloud(speak: () => void): void {
    if (this.#unsaid === null) speak();
    else this.#unsaid.push(speak);
  }

  #take(message: FromStartedRig): void {
    const io = this.#io;
    switch (message.kind) {
      case "say":
        this.#aloud(() => io.say(message.text));
        break;
      case "event":
        this.#aloud(() => io.event(message.text));
        break;
      case "terminal":
        this.#terminals.set(message.path, message);
        break;
      case "no-terminal":
        this.#terminals.delete(message.path);
        break;
      case "refused":
        this.#aloud(() => io.event(`drydock: ${message.text}`));
        this.#resolve({ isWell: false, failure: "", nowNs: 0 });
        break;
      case "ended":
        this.#aloud(() => saveRecordings(message.recordings, this.#files, io));
        // It has let go of its terminals itself.
        this.#terminals.clear();
        this.#resolve(message);
        break;
    }
  }

  command(line: string): void {
    this.thread.tell({ kind: "line", text: line });
  }

  /** It ends in its own time; a loop is waited for as long as for any answer. */
  stop(): void {
    this.#isStopping = true;
    if (this.thread.isRunning) this.thread.tell({ kind: "stop" });
    else this.#resolve({ isWell: !this.#isLost, failure: "", nowNs: 0 });
  }

  #lost(why: string): void {
    this.#isLost = true;
    this.#letGo();
    this.#aloud(() => this.#io.event(`drydock: the rig was ended: ${why}`));
    if (this.#isStopping) {
      this.#resolve({ isWell: false, failure: "", nowNs: 0 });
      return;
    }
    const word = '  the board and other rigs go on; "Begin again" in the lab starts it anew, Ctrl-C ends all';
    this.#aloud(() => this.#io.say(word));
  }

  /** What a thread leaves that was ended: programs at its terminals see them hang up. */
  #letGo(): void {
    for (const { descriptors, link, path } of this.#terminals.values()) {
      if (link !== null) removeTerminalLink(link, path);
      for (const descriptor of descriptors)
        try {
          closeSync(descriptor);
        } catch {
          // Closed already, with what made it.
        }
    }
    this.#terminals.clear();
  }
}
