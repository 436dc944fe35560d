// A session of the lab: opens a rig or a case, lets time go on in slices, does acts, answers for rows.

import { type ActName, findAct, givenOf, parseAct, wholeOf } from "./acts.ts";
import { actsOf } from "./acts-of.ts";
import type { LabHost } from "./lab-host.ts";
import {
  commandOf,
  type EndedRun,
  endedCommandOf,
  type LabRun,
  RigRun,
  saidOf,
  scriptOf,
} from "./lab-run.ts";
import {
  type ActAsk,
  type Difference,
  everyRow,
  type Opening,
  type RowWish,
  type SeedShare,
  type SessionState,
  type ToSession,
} from "./messages.ts";
import { isEnded, isServerName } from "./opened-names.ts";
import { GivenUp, type Pace, playTo, runPaced } from "./paced-run.ts";
import { type RemoteLink, RemoteRun } from "./remote-run.ts";
import { wireRows } from "./row-cells.ts";
import { neighbourOf, RowList } from "./row-list.ts";

/** Longest stretch of work without looking whether somebody wants something, milliseconds. */
const sliceMs = 8;
const stateEveryMs = 50;
const longestSleepMs = 50;
const reconnectMs = 500;
/** Real time that a rig may be behind and still catch up, milliseconds. */
const longestLagMs = 1000;
/** A step that finds no row goes this far, virtual nanoseconds. */
const quietNs = 10_000_000_000;
const mostSeeds = 1000;
/** So many hits of a filter fill a window: they are shown before more are looked for. */
const firstHits = 50;
/** Rows of a rig beyond which a state comes without its digest. */
const mostDigested = 100_000;
const highestSeed = 4_294_967_295;

type Shown = RigRun | EndedRun | RemoteRun;

export class LabSession {
  readonly #host: LabHost;
  #shown: Shown | null = null;
  #mode: SessionState["mode"] = "busy";
  #note = "";
  #speed = 1;
  /** Virtual time = origin + real time since then, times the speed. */
  #originNs = 0;
  #originMs = 0;
  #queue: Promise<void> = Promise.resolve();
  #waiting = 0;
  #isEnded = false;
  #list: RowList | null = null;
  #wish: RowWish = everyRow;
  /** The number of the last message that opened something. */
  #opened = 0;
  #isLooking = false;
  #isGivenUp = false;
  #isTellingSoon = false;
  #digest: { readonly run: RigRun; readonly steps: number; readonly text: string } | null = null;
  /** Of a case: where "step" and "back" stand. */
  #cursor = 0;
  #difference: Difference | null = null;
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(host: LabHost) {
    this.#host = host;
  }

  /** Takes a message; answers go to the host. Never throws: what cannot be done is said. */
  take(message: ToSession): Promise<void> {
    this.#waiting++;
    this.#queue = this.#queue
      .then(async () => {
        this.#waiting--;
        if (!this.#isEnded) await this.#handle(message);
      })
      .catch((error: unknown) => {
        this.#say(error instanceof Error ? error.message : String(error), !(error instanceof GivenUp));
        if (this.#mode === "busy") {
          const isCase = this.#shown !== null && "result" in this.#shown;
          this.#mode = isCase ? "ended" : "paused";
          this.#note = "";
        }
        this.#tell();
      });
    return this.#queue;
  }

  end(): void {
    this.#isEnded = true;
  }

  /** What is under way is given up at its next rest. */
  cancel(): void {
    if (this.#shown instanceof RemoteRun) this.#shown.act("cancel", "");
    else this.#isGivenUp = this.#mode === "busy";
  }

  #pace(): Pace {
    return {
      now: () => this.#host.now(),
      rest: async () => {
        this.#tell(true);
        await this.#host.pause(0);
        this.#mustGoOn();
      },
    };
  }

  #mustGoOn(): void {
    if (!this.#isGivenUp && !this.#isEnded) return;
    this.#isGivenUp = false;
    throw new GivenUp();
  }

  /** Somebody is there. */
  pong(): void {
    this.#host.send({ kind: "pong" });
  }

  /** What is looked at; null before something was opened. */
  get run(): LabRun | null {
    return this.#shown;
  }

  #say(text: string, isRefusal = false): void {
    this.#host.send({ kind: "said", text, isRefusal });
  }

  async #handle(message: ToSession): Promise<void> {
    switch (message.kind) {
      case "open":
        this.#opened = message.number;
        return await this.#open(message.opening);
      case "ping":
        return this.pong();
      case "cancel":
        return this.cancel();
      case "search":
        return await this.#searchShare(message.share);
      case "act":
        return await this.#act(message.act);
      case "filter":
        this.#wish = message.wish;
        this.#list?.set(message.wish);
        this.#lookOn(firstHits);
        return this.#tell();
      case "rows":
        return this.#host.send({
          kind: "rows",
          id: message.id,
          from: message.from,
          rows: this.#list?.rows(message.from, Math.min(message.count, 500)) ?? [],
        });
      case "row":
        return this.#host.send({
          kind: "row",
          id: message.id,
          detail: this.#list?.detail(message.sequence) ?? null,
        });
      case "place":
        return this.#host.send({
          kind: "place",
          id: message.id,
          place: this.#list?.placeOf(message.sequence) ?? 0,
        });
      case "hit":
        return this.#host.send({
          kind: "hit",
          id: message.id,
          sequence: this.#hitFrom(message.sequence, message.isBack),
        });
      case "file": {
        const shown = this.#mustShow();
        const { write } = await this.#host.later();
        return this.#host.send({
          kind: "file",
          id: message.id,
          ...write(shown, message.form, message.evidence),
        });
      }
      case "view": {
        const { view } = await this.#host.later();
        return this.#host.send({ kind: "view", id: message.id, answer: view(this.#shown, message.ask) });
      }
    }
  }

  #mustShow(): Shown {
    if (this.#shown === null) throw new RangeError("nothing is open yet");
    return this.#shown;
  }

  #mustBeRig(): RigRun {
    const shown = this.#mustShow();
    if (!(shown instanceof RigRun)) throw new RangeError("a case has run already: only a rig's time goes on");
    return shown;
  }

  async #open(opening: Opening): Promise<void> {
    wholeOf(String(opening.seed), "seed", 0, highestSeed);
    this.#mode = "busy";
    this.#note = `opening ${opening.what}`;
    this.#difference = null;
    const shown = await this.#make(opening);
    this.#show(shown);
    this.#cursor = 0;
    this.#note = "";
    if (shown instanceof RemoteRun) this.#mode = "running";
    else if (shown instanceof RigRun) {
      this.#mode = "paused";
      if (opening.isRunning) this.#go();
    } else {
      this.#mode = "ended";
      this.#cursor = shown.timeline.next - 1;
    }
    this.#lookOn();
    this.#tell();
  }

  #show(run: Shown): void {
    this.#shown = run;
    if (run instanceof RigRun) run.onSaid = (text) => this.#say(text);
    this.#list = new RowList(run, this.#wish);
  }

  async #make(opening: Opening): Promise<Shown> {
    const { connect, playEnded, turn } = this.#host;
    if (playEnded !== null && isEnded(opening.what)) return await playEnded(opening, turn);
    if (connect !== null && isServerName(opening.what))
      return this.#watch(opening, await connect(opening.what));
    return this.#rig(opening);
  }

  /** Throws RangeError for a rig, a fault or a seed that does not exist. */
  #rig(opening: Opening): RigRun {
    const entry = this.#host.findRig(opening.what);
    if (entry === null) throw new RangeError(`there is no rig "${opening.what.slice(0, 40)}"`);
    return new RigRun(entry, opening, this.#host.turn, this.#host.hands);
  }

  #watch(opening: Opening, link: RemoteLink): RemoteRun {
    const run = new RemoteRun(opening, link);
    run.onSaid = (text, isRefusal) => this.#say(text, isRefusal);
    run.onAnew = () => this.#list?.set(this.#wish);
    run.onChange = () => {
      if (this.#shown !== run || this.#isEnded) return;
      if (!run.isConnected && this.#mode === "running") {
        this.#mode = "stopped";
        this.#note = "the server does not answer";
        void this.#comeBack(run);
      }
      this.#lookOn();
      this.#tellSoon();
    };
    return run;
  }

  /** Asks for the server again until it is there, and goes on where it was. */
  async #comeBack(run: RemoteRun): Promise<void> {
    const { connect, pause } = this.#host;
    while (connect !== null && this.#shown === run && !this.#isEnded) {
      await pause(reconnectMs);
      const link = await connect(run.opening.what).catch(() => null);
      if (link === null) continue;
      run.resume(link);
      this.#mode = "running";
      this.#note = "";
      return this.#tell();
    }
  }

  /** Time goes on from here. */
  #go(): void {
    if (this.#mode === "running") return;
    const { scheduler } = this.#mustBeRig().rig.machine;
    if (scheduler.isStopped) return;
    this.#mode = "running";
    this.#originNs = scheduler.nowNs();
    this.#originMs = this.#host.now();
    void this.#loop();
  }

  async #loop(): Promise<void> {
    const mine = this.#shown;
    while (this.#mode === "running" && this.#shown === mine && !this.#isEnded) {
      let waitMs = 0;
      this.#queue = this.#queue.then(async () => {
        if (this.#mode === "running" && this.#shown === mine) waitMs = await this.#slice();
      });
      await this.#queue;
      this.#tell(true);
      await this.#host.pause(this.#waiting > 0 ? 0 : waitMs);
    }
    this.#tell();
  }

  /** Runs what is due, at most for a slice. Answers how long nothing is to do, milliseconds. */
  async #slice(): Promise<number> {
    const run = this.#mustBeRig();
    const { scheduler } = run.rig.machine;
    const begun = this.#host.now();
    const isFree = this.#speed === 0;
    const limitNs = isFree
      ? Number.POSITIVE_INFINITY
      : Math.floor(this.#originNs + (begun - this.#originMs) * 1e6 * this.#speed);
    const outcome = await scheduler.run(limitNs, () => {
      run.note();
      return (scheduler.steps & 31) === 0 && this.#host.now() - begun > sliceMs;
    });
    this.#lookOn();
    if (outcome.reason === "stopped") {
      this.#mode = "stopped";
      this.#note = run.rig.machine.failure?.text ?? "the machine stopped";
      return 0;
    }
    if (isFree) {
      if (outcome.reason === "idle" || outcome.reason === "deadlock") {
        this.#mode = "paused";
        this.#note = outcome.reason === "idle" ? "nothing is left to do" : "everybody waits for somebody";
      }
      return 0;
    }
    // Behind for a moment it catches up; for longer it cannot keep up, and time is what it got to, not what it should be.
    if (outcome.reason === "done") {
      if ((limitNs - scheduler.nowNs()) / 1e6 / this.#speed < longestLagMs) return 0;
      this.#originNs = scheduler.nowNs();
      this.#originMs = this.#host.now();
      return 0;
    }
    const untilMs = (scheduler.nextTimeNs() - scheduler.nowNs()) / 1e6 / this.#speed;
    return Math.min(longestSleepMs, Math.max(1, untilMs));
  }

  async #act({ name, value }: ActAsk): Promise<void> {
    // Not as a line: a text is what it is, a space or a carriage return too.
    const known = findAct(name) ?? findAct(parseAct(name).name);
    if (known === null || !this.#actsNow().includes(name))
      throw new RangeError(`"${name}" cannot be done here`);
    this.#isGivenUp = false;
    await this.#carryOut(name, givenOf(known, value));
    this.#lookOn();
    this.#tell();
  }

  async #carryOut(name: ActName, value: string): Promise<void> {
    if (this.#shown instanceof RemoteRun) return this.#shown.act(name, value);
    switch (name) {
      case "run":
        return this.#go();
      case "pause":
        if (this.#mode === "running") this.#mode = "paused";
        return;
      case "step":
        return await this.#step();
      case "back":
        return await this.#back();
      case "run-to":
        return await this.#runTo(value);
      case "speed":
        return this.#setSpeed(Number(value));
      case "unplug":
      case "plug":
      case "power-cut":
      case "open-console":
      case "type":
      case "break":
      case "modem-lines":
      case "write":
      case "flush":
      case "read-back":
      case "press":
      case "send-frames":
      case "sleep":
      case "wake": {
        const run = this.#mustBeRig();
        this.#keepTime();
        const refusal = run.perform(name, value);
        const done = saidOf(name, value);
        if (refusal !== "") this.#say(refusal, true);
        else if (done !== "") this.#say(done);
        return;
      }
      case "unplug-at":
        return await this.#open({
          ...this.#mustShow().opening,
          unplugAt: wholeOf(value, "step", 0, 1_000_000),
        });
      case "fault": {
        const { opening } = this.#mustBeRig();
        return await this.#open({
          ...opening,
          faults: [...opening.faults, value],
          isRunning: this.#mode === "running",
        });
      }
      case "seed":
        return await this.#open({
          ...this.#mustShow().opening,
          seed: wholeOf(value, "seed", 0, highestSeed),
        });
      case "again":
        return await this.#open(this.#mustShow().opening);
      case "unplug-here":
        return await this.#unplugHere(
          value === "" ? this.#mustShow().timeline.next - 1 : wholeOf(value, "row", 1, 2 ** 50),
        );
      case "against-seed":
        return await this.#compare(
          { ...this.#mustShow().opening, seed: wholeOf(value, "seed", 0, highestSeed) },
          `seed ${value}`,
        );
      case "against-side": {
        const { opening } = this.#mustShow();
        const side = opening.side === "bad" ? "good" : "bad";
        return await this.#compare({ ...opening, side }, `the ${side} driver`);
      }
      case "which-seed":
        return await this.#whichSeed(value);
    }
  }

  /** What is done by hand happens now, not when the last event was. */
  #keepTime(): void {
    if (this.#mode !== "running" || this.#speed === 0) return;
    const { scheduler } = this.#mustBeRig().rig.machine;
    scheduler.catchUp(Math.floor(this.#originNs + (this.#host.now() - this.#originMs) * 1e6 * this.#speed));
  }

  #setSpeed(speed: number): void {
    if (!(speed >= 0 && speed <= 1e6))
      throw new RangeError("a speed is a number from 0 (as fast as it can) to 1000000");
    this.#speed = speed;
    const shown = this.#mustShow();
    if (!(shown instanceof RigRun)) return;
    this.#originNs = shown.rig.machine.scheduler.nowNs();
    this.#originMs = this.#host.now();
  }

  async #step(): Promise<void> {
    const shown = this.#mustShow();
    if (!(shown instanceof RigRun)) {
      this.#cursor = Math.min(shown.timeline.next - 1, this.#cursor + 1);
      return;
    }
    this.#mode = "paused";
    const { scheduler } = shown.rig.machine;
    const before = shown.timeline.next;
    const outcome = await scheduler.run(scheduler.nowNs() + quietNs, () => {
      shown.note();
      return shown.timeline.next > before;
    });
    if (outcome.reason === "stopped") this.#stopped(shown);
    else if (shown.timeline.next === before) this.#say("Nothing happened in ten seconds of its time.");
  }

  #stopped(run: RigRun): void {
    this.#mode = "stopped";
    this.#note = run.rig.machine.failure?.text ?? "the machine stopped";
  }

  async #back(): Promise<void> {
    const shown = this.#mustShow();
    if (!(shown instanceof RigRun)) {
      this.#cursor = Math.max(shown.timeline.oldest, this.#cursor - 1);
      return;
    }
    const { steps } = shown.rig.machine.scheduler;
    const stops = shown.stops.filter((stop) => stop < steps);
    // The last stop is where its newest row came, unless time has gone on since.
    const here = shown.stops.at(-1) === steps ? stops.at(-1) : stops.at(-2);
    if (here === undefined && steps === 0) return this.#say("This is the beginning.");
    this.#show(await this.#replay(shown, here ?? 0, "back"));
    this.#mode = "paused";
  }

  /** The same run again, up to so many steps, with everything that was done by hand until there. */
  async #replay(like: RigRun, steps: number, what: string): Promise<RigRun> {
    const again = new RigRun(like.entry, like.opening, this.#host.turn, this.#host.hands);
    const { scheduler } = again.rig.machine;
    this.#mode = "busy";
    const to = async (wanted: number): Promise<void> => {
      while (scheduler.steps < wanted && !scheduler.isStopped && !this.#isEnded) {
        const begun = this.#host.now();
        await scheduler.run(Number.POSITIVE_INFINITY, () => {
          again.note();
          return (
            scheduler.steps >= wanted ||
            ((scheduler.steps & 255) === 0 && this.#host.now() - begun > stateEveryMs)
          );
        });
        this.#note = `${what}: step ${scheduler.steps} of ${steps}`;
        this.#tell(true);
        if (scheduler.steps < wanted && scheduler.nextTimeNs() === Number.POSITIVE_INFINITY) break;
        await this.#host.pause(0);
        this.#mustGoOn();
      }
    };
    for (const { name, steps: at, timeNs, value } of like.acts) {
      if (at > steps) break;
      await to(at);
      scheduler.catchUp(timeNs);
      again.perform(name, value);
    }
    await to(steps);
    this.#note = "";
    return again;
  }

  /** "0.5": what is due until then; "0.5@812": to that step, and to that moment. */
  async #runTo(moment: string): Promise<void> {
    const run = this.#mustBeRig();
    const { scheduler } = run.rig.machine;
    const [, seconds = "", stepsText] = /^(\d{1,7}(?:\.\d{1,9})?)(?:@(\d{1,15}))?$/.exec(moment) ?? [];
    const timeNs = Math.round(Number(seconds) * 1e9);
    if (seconds === "" || timeNs > 1e15)
      throw new RangeError("a moment is a number of seconds from 0 to 1000000");
    const wanted = stepsText === undefined ? Number.POSITIVE_INFINITY : Number(stepsText);
    if (timeNs < scheduler.nowNs() || wanted < scheduler.steps)
      throw new RangeError("that is over: begin again, or go back");
    this.#mode = "busy";
    while (!this.#isEnded) {
      const begun = this.#host.now();
      const outcome = await scheduler.run(timeNs, () => {
        run.note();
        return (
          scheduler.steps >= wanted ||
          ((scheduler.steps & 255) === 0 && this.#host.now() - begun > stateEveryMs)
        );
      });
      if (outcome.reason === "stopped") return this.#stopped(run);
      if (outcome.reason !== "done" || scheduler.steps >= wanted) break;
      this.#note = `at ${(scheduler.nowNs() / 1e9).toFixed(3)} s of ${timeNs / 1e9} s`;
      this.#lookOn();
      this.#tell(true);
      await this.#host.pause(0);
      this.#mustGoOn();
    }
    if (wanted < Number.POSITIVE_INFINITY) scheduler.catchUp(timeNs);
    this.#note = "";
    this.#mode = "paused";
  }

  async #unplugHere(sequence: number): Promise<void> {
    const before = this.#mustBeRig();
    const { nowNs } = { nowNs: before.rig.machine.scheduler.nowNs() };
    const again = new RigRun(before.entry, before.opening, this.#host.turn, this.#host.hands);
    const { scheduler } = again.rig.machine;
    this.#mode = "busy";
    this.#note = `running again to row ${sequence}`;
    this.#tell();
    const doneBefore = [...before.acts];
    for (;;) {
      const next = doneBefore[0];
      const isThere = () => again.timeline.next > sequence;
      await runPaced(
        again,
        nowNs,
        this.#pace(),
        () => isThere() || (next !== undefined && scheduler.steps >= next.steps),
      );
      if (isThere() || scheduler.isStopped || next === undefined) break;
      doneBefore.shift();
      scheduler.catchUp(next.timeNs);
      again.perform(next.name, next.value);
    }
    const refusal = scheduler.isStopped
      ? "the machine has stopped before that row"
      : again.perform("unplug", "1");
    this.#note = "";
    this.#mode = "paused";
    if (refusal !== "") return this.#say(refusal, true);
    this.#mode = "busy";
    this.#note = "running on without the device";
    await runPaced(again, Math.max(nowNs, scheduler.nowNs() + 1e9), this.#pace());
    this.#note = "";
    this.#mode = "paused";
    this.#show(again);
    const { differenceOf } = await this.#host.later();
    this.#difference = differenceOf(again, before, `the run without the unplug at row ${sequence}`);
    if (scheduler.isStopped) this.#stopped(again);
  }

  async #compare(opening: Opening, against: string): Promise<void> {
    const shown = this.#mustShow();
    const mode = this.#mode === "running" ? "paused" : this.#mode;
    this.#mode = "busy";
    this.#note = `running ${against}`;
    this.#tell();
    const other = await this.#make(opening);
    if (other instanceof RigRun && shown instanceof RigRun)
      await playTo(other, shown.acts, shown.rig.machine.scheduler.nowNs(), this.#pace());
    this.#difference = (await this.#host.later()).differenceOf(shown, other, against);
    this.#note = "";
    this.#mode = mode;
  }

  /** "20": seeds 1 to 20; "7-9": these. */
  async #whichSeed(value: string): Promise<void> {
    const shown = this.#mustShow();
    if (shown instanceof RemoteRun) return;
    const [, from = "1", to = value] = /^(\d+)-(\d+)$/.exec(value) ?? [];
    const first = wholeOf(from, "seed", 1, highestSeed);
    const last = wholeOf(to, "count", first, Math.min(highestSeed, first + mostSeeds - 1));
    const mode = this.#mode === "running" ? "paused" : this.#mode;
    this.#mode = "busy";
    const { findFailingSeed, tellSearch } = await this.#host.later();
    const found = await findFailingSeed({
      opening: shown.opening,
      acts: shown instanceof RigRun ? shown.acts : [],
      timeNs: shown instanceof RigRun ? shown.rig.machine.scheduler.nowNs() : 0,
      ...{ first, last, step: 1, shrinks: true },
      ...this.#searchTools(),
    });
    this.#note = "";
    this.#mode = mode;
    if (found !== null) {
      // What fails is what is looked at from now on.
      this.#show(found.run);
      this.#difference = null;
      if (found.run instanceof RigRun) {
        this.#mode = "paused";
        if (found.run.rig.machine.scheduler.isStopped) this.#stopped(found.run);
      } else this.#cursor = found.run.timeline.next - 1;
    }
    this.#say(tellSearch(found, last - first + 1), found !== null);
  }

  #searchTools() {
    return {
      make: async (opening: Opening) => {
        const run = await this.#make(opening);
        if (run instanceof RemoteRun) throw new RangeError("a rig of the server runs once");
        return run;
      },
      onProgress: (text: string) => {
        this.#note = text;
        this.#tell(true);
      },
      pace: this.#pace(),
    };
  }

  /** Nothing is shown of it: who asked is told of each seed. */
  async #searchShare({ acts, count, first, opening, step, timeNs }: SeedShare): Promise<void> {
    const { findFailingSeed } = await this.#host.later();
    await findFailingSeed({
      ...{ acts, first, last: count, opening, step, timeNs, shrinks: false },
      onTried: (seed, why) => this.#host.send({ kind: "searched", seed, why }),
      ...this.#searchTools(),
    });
    this.#note = "";
  }

  /** Looks at rows that came since, for the filter, slice by slice, so that typing stays quick. */
  #lookOn(enough = Number.POSITIVE_INFINITY): void {
    if (this.#look(enough) || this.#isLooking) return;
    this.#isLooking = true;
    void this.#host.pause(0).then(() => {
      this.#isLooking = false;
      if (this.#isEnded) return;
      this.#lookOn();
      this.#tell(this.#isLooking);
    });
  }

  /** One slice. True: everything that is there was looked at. */
  #look(enough: number): boolean {
    const list = this.#list;
    if (list === null) return true;
    const begun = this.#host.now();
    return list.look(() => list.hits >= enough || this.#host.now() - begun > 2 * sliceMs);
  }

  /** Rows of ours in which two compared runs differ. */
  get #differing(): number[] {
    return (this.#difference?.rows ?? []).flatMap(({ here, isEqual }) =>
      isEqual || here === null ? [] : [here.sequence],
    );
  }

  #hitFrom(sequence: number, isBack: boolean): number {
    if (this.#wish.text !== "") return this.#list?.hitFrom(sequence, isBack) ?? 0;
    return neighbourOf(this.#differing, sequence, isBack);
  }

  #actsNow(): ActName[] {
    const shown = this.#shown;
    if (shown === null) return [];
    if (shown instanceof RemoteRun) return [...(shown.sharedState().acts ?? [])];
    return actsOf(shown);
  }

  /** Many changes, one state: the newest, a moment later. */
  #tellSoon(): void {
    if (this.#isTellingSoon) return;
    this.#isTellingSoon = true;
    void this.#host.pause(stateEveryMs).then(() => {
      this.#isTellingSoon = false;
      if (!this.#isEnded) this.#tell();
    });
  }

  /** `isRoutine`: not more often than somebody can see. */
  #tell(isRoutine = false): void {
    const now = this.#host.now();
    if (isRoutine && now - this.#toldMs < stateEveryMs) return;
    this.#toldMs = now;
    if (this.#shown === null) return;
    this.#host.send({ kind: "state", state: this.#state(this.#shown) });
  }

  /** Reads every row: only of a rig that stands, once for where it stands, and while that is quick. */
  #digestOf(run: RigRun): string {
    if (this.#mode === "running" || run.timeline.kept() > mostDigested) return "";
    const { steps } = run.rig.machine.scheduler;
    if (this.#digest?.run !== run || this.#digest.steps !== steps)
      this.#digest = { run, steps, text: run.rig.digest() };
    return this.#digest.text;
  }

  #state(shown: Shown): SessionState {
    const { opening, timeline } = shown;
    const isCase = !(shown instanceof RigRun || shown instanceof RemoteRun);
    const common = {
      opening,
      opened: this.#opened,
      title: shown.title,
      isCase,
      mode: this.#mode,
      note: this.#note,
      timeNs: timeline.row(this.#cursor)?.timeNs ?? 0,
      steps: 0,
      oldest: timeline.oldest,
      next: isCase ? this.#cursor + 1 : timeline.next,
      lost: timeline.oldest - 1 + (shown instanceof RemoteRun ? shown.lost : 0),
      shown: this.#list?.count ?? 0,
      wish: this.#wish,
      unfiltered: this.#list?.left ?? 0,
      hits: this.#list?.hits ?? 0,
      marks: this.#list?.marks(this.#differing) ?? [],
      filterProblem: this.#list?.problem ?? "",
      transfers: wireRows(timeline),
      speed: this.#speed,
      boxes: [],
      acts: this.#actsNow(),
      command: "npx drydock start",
      script: [],
      tryThis: [],
      failures: [],
      result: null,
      difference: this.#difference,
      digest: "",
      ledger: null,
      evidence: [],
      unplugSteps: 0,
      causes: [],
      console: "",
      consoleLength: 0,
      isConsoleOpen: false,
      modemLines: { dtr: false, rts: false },
    };
    if (shown instanceof RemoteRun) return { ...common, ...shown.sharedState() };
    if (!(shown instanceof RigRun)) {
      const { causes, digest, evidence, ledger, result, unplugSteps } = shown;
      const command = endedCommandOf(opening);
      return { ...common, causes, command, digest, evidence: namesOf(evidence), ledger, result, unplugSteps };
    }
    const { entry, rig } = shown;
    return {
      ...common,
      timeNs: rig.machine.scheduler.nowNs(),
      steps: rig.machine.scheduler.steps,
      boxes: shown.boxes(),
      command: commandOf(shown),
      script: scriptOf(shown),
      evidence: rig.machine.failure?.kind === "panic" ? namesOf(rig.machine.failure.evidence) : [],
      tryThis: entry.type,
      failures: rig.failures(),
      digest: this.#digestOf(shown),
      ledger: shown.ledger(),
      console: shown.console,
      consoleLength: shown.consoleLength,
      isConsoleOpen: shown.isConsoleOpen,
      modemLines: shown.modemLines,
    };
  }
}

const namesOf = (files: readonly { readonly name: string }[]): string[] => files.map(({ name }) => name);
