// A rig of the server that all who watch it share: one session that opens, steps and acts, and what it says of itself.

import { Timeline } from "@drydock/core/trace/timeline";
import type { ActName } from "./acts.ts";
import type { LabHost } from "./lab-host.ts";
import { type LabRun, RigRun } from "./lab-run.ts";
import { LabSession } from "./lab-session.ts";
import { plainState, type SessionState, type SharedState } from "./messages.ts";
import { makeHands } from "./rig-hands.ts";
import { type WatchedRig, Watchers } from "./watchers.ts";

const nothingYet = new Timeline();

export class SharedRig implements WatchedRig {
  readonly watchers: Watchers;
  readonly #session: LabSession;
  readonly #what: string;
  readonly #firstRun: number;
  readonly #isNamed: boolean;
  /** Runs that there were: another one after each "back" and "begin again". */
  #runs = 0;
  #known: LabRun | null = null;
  #state: SessionState | null = null;

  /**
   * `firstRun`: a number that no earlier start had, so that a watcher that comes back knows. `isNamed`: a command line takes
   * the rig by its name.
   */
  constructor(
    host: Omit<LabHost, "send" | "later" | "hands" | "playEnded" | "connect">,
    what: string,
    firstRun: number,
    isNamed: boolean,
  ) {
    this.#what = what;
    this.#isNamed = isNamed;
    this.#firstRun = firstRun;
    this.watchers = new Watchers(this);
    this.#session = new LabSession({
      turn: host.turn,
      now: () => host.now(),
      pause: (milliseconds) => host.pause(milliseconds),
      findRig: (name) => host.findRig(name),
      later: async () => (await import("./session-later.ts")).sessionLater,
      hands: makeHands,
      playEnded: null,
      connect: null,
      send: (message) => {
        if (message.kind === "state") this.#state = message.state;
        else if (message.kind === "said") this.watchers.say(message.text, message.isRefusal);
      },
    });
  }

  /** Brings it up, and time goes on. */
  async open(seed: number): Promise<void> {
    await this.#session.take({
      kind: "open",
      number: 1,
      opening: { what: this.#what, side: "bad", seed, faults: [], isRunning: true },
    });
  }

  end(): void {
    this.#session.end();
  }

  get run(): number {
    const { run } = this.#session;
    if (run !== this.#known) {
      this.#known = run;
      this.#runs++;
    }
    return this.#firstRun + this.#runs;
  }

  get timeline(): Timeline {
    return this.#session.run?.timeline ?? nothingYet;
  }

  state(): SharedState {
    const state = this.#state;
    if (state === null)
      return {
        ...plainState,
        mode: "busy",
        note: "it comes up",
        title: this.#what,
        timeNs: 0,
        boxes: [],
        acts: [],
        command: "",
      };
    const { run } = this.#session;
    const { acts, boxes, command, console, consoleLength, difference, digest, failures } = state;
    const { isConsoleOpen, ledger, mode, modemLines, note, speed, title, tryThis } = state;
    return {
      title: `${title} (on the server)`,
      mode,
      note,
      // Between two states of a session time goes on.
      timeNs: run instanceof RigRun ? run.rig.machine.scheduler.nowNs() : state.timeNs,
      speed,
      boxes,
      acts,
      command: this.#isNamed ? command : "",
      tryThis,
      failures,
      difference,
      digest,
      ledger,
      console,
      consoleLength,
      modemLines,
      isConsoleOpen,
    };
  }

  act(name: string, value: string): null {
    if (name === "cancel") {
      this.#session.cancel();
      return null;
    }
    void this.#session.take({ kind: "act", act: { name: name as ActName, value } });
    return null;
  }
}
