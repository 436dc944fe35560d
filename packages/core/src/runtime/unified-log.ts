// The system's log as a dext's lines reach it: cut, attributed by load tag, sometimes dropped (posts.md T7).

import type { Clock } from "../base/clock.ts";
import { pushNewest } from "../base/newest.ts";
import { decodeUtf8, encodeUtf8 } from "../base/text.ts";
import { millisecond } from "../base/units.ts";
import { compileLogPredicate } from "../platform/log-predicate.ts";
import type { LogLevel, LogRow } from "../platform/log-row.ts";
import { type Recorder, TimelineKind } from "../ports/recorder.ts";

/** As the timeline numbers them. */
const levels: readonly LogLevel[] = ["default", "info", "debug", "error", "fault"];

/** log_data copies at most 240 bytes, the last of which becomes NUL. */
const cutBytes = 239;
/** Characters of a remark: a driver's own words may be of any length. */
const remarkMaximum = 2000;

export interface LogOptions {
  /** Lines the kernel's queue holds until logd takes them. */
  readonly queueCapacity?: number;
  /** How often logd takes what is queued. */
  readonly drainIntervalNs?: number;
  /** How many of the newest lines dmesg keeps. */
  readonly dmesgLines?: number;
  /** How many of the newest lines logd keeps on its disk. Default 262,144. */
  readonly keptLines?: number;
  /** Each line is a row of the timeline too, those that a real system loses among them. */
  readonly recorder?: Recorder | null;
}

export interface ShowOptions {
  readonly info?: boolean;
  readonly debug?: boolean;
  /** Only lines younger than this. */
  readonly lastNs?: number;
  /** Text of a `log` predicate; see log-predicate.ts for the subset. */
  readonly predicate?: string;
}

/** Load tag -> bundle, as the kernel knows it, and as logd has cached it. */
interface Attribution {
  readonly bundleIdentifier: string;
  /** logd knows this tag's UUID. False after an upgrade until logd is refreshed. */
  isResolved: boolean;
}

/**
 * The kernel's log queue, logd behind it, and dmesg beside it. A dext's os_log ends in `logData`: the row's process is
 * always `kernel`, pid 0, no subsystem. Whether the sender column names the dext depends on logd's cache.
 */
export class UnifiedLog {
  readonly #clock: Clock;
  readonly #capacity: number;
  readonly #drainIntervalNs: number;
  readonly #dmesgLines: number;
  readonly #keptLines: number;
  readonly #recorder: Recorder | null;
  #forgotten = 0;
  readonly #rows: LogRow[] = [];
  readonly #queue: LogRow[] = [];
  readonly #dmesg: string[] = [];
  readonly #tags = new Map<number, Attribution>();
  #isDraining = false;
  #dropped = 0;
  #cut = 0;
  /** Fault switch: after an upgrade logd keeps its old mapping until `refreshResolver` (posts.md P17 a). */
  resolverGoesStaleOnUpgrade = true;

  constructor(clock: Clock, options: LogOptions = {}) {
    this.#clock = clock;
    this.#capacity = options.queueCapacity ?? 4096;
    this.#drainIntervalNs = options.drainIntervalNs ?? millisecond;
    this.#dmesgLines = options.dmesgLines ?? 4096;
    this.#keptLines = options.keptLines ?? 1 << 18;
    this.#recorder = options.recorder ?? null;
  }

  /** `debug.oslog_p_dropped_msgcount`: lines lost because the queue was full. */
  get droppedMessageCount(): number {
    return this.#dropped;
  }

  /** Lines that were cut to 239 bytes. */
  get cutMessageCount(): number {
    return this.#cut;
  }

  /** A bundle was loaded under `loadTag`. An upgrade may leave logd with a stale mapping. */
  registerLoadTag(loadTag: number, bundleIdentifier: string, isUpgrade: boolean): void {
    const isResolved = !(isUpgrade && this.resolverGoesStaleOnUpgrade);
    this.#tags.set(loadTag, { bundleIdentifier, isResolved });
  }

  /** logd learns the current UUIDs (a reboot in real life). */
  refreshResolver(): void {
    for (const attribution of this.#tags.values()) attribution.isResolved = true;
  }

  /** The log_data system call of a dext. `loadTag` null: before the dext matched, so the kernel itself is the sender. */
  logData(loadTag: number | null, level: LogLevel, text: string): void {
    const message = this.#cutText(text);
    const attribution = loadTag === null ? undefined : this.#tags.get(loadTag);
    const sender = attribution?.isResolved === true ? `${attribution.bundleIdentifier}.dext` : "";
    this.#enqueue({ ...this.#row(level, message), sender });
  }

  /** A line of the kernel's own. */
  kernel(message: string, level: LogLevel = "default"): void {
    this.#enqueue(this.#row(level, message));
  }

  /** A line of another process; it does not pass through the kernel's queue. */
  other(row: {
    readonly process: string;
    readonly pid?: number;
    readonly sender?: string;
    readonly subsystem?: string;
    readonly category?: string;
    readonly level?: LogLevel;
    readonly text: string;
  }): void {
    this.#keep({
      ...this.#row(row.level ?? "default", row.text),
      process: row.process,
      pid: row.pid ?? 0,
      sender: row.sender ?? "",
      subsystem: row.subsystem ?? "",
      category: row.category ?? "",
    });
    this.#recorder?.record(
      TimelineKind.log,
      `${row.process}: ${row.text}`,
      levels.indexOf(row.level ?? "default"),
    );
  }

  /**
   * A line of Drydock's own, about what a real system does in silence although the machine knows the reason. Its process
   * is `drydock`, so that nobody takes it for Apple's.
   */
  remark(text: string, level: LogLevel = "default"): void {
    this.other({
      process: "drydock",
      level,
      text: text.length > remarkMaximum ? `${text.slice(0, remarkMaximum)}...` : text,
    });
  }

  /** Lines of other processes as verdicts hold them: "process: (sender) [subsystem:category] message". */
  lines(texts: readonly string[]): void {
    for (const line of texts) {
      const match = /^([^:\s]+): (?:\(([^)]*)\) )?(?:\[([^:\]]*):([^\]]*)\] )?([\s\S]*)$/.exec(line);
      if (match === null) throw new RangeError(`"${line}" does not begin with a process`);
      const [, process, sender = "", subsystem = "", category = "", text] = match;
      this.other({ process, sender, subsystem, category, text });
    }
  }

  /** What `log show` answers, oldest first. */
  show(options: ShowOptions = {}): LogRow[] {
    const accepts = options.predicate === undefined ? () => true : compileLogPredicate(options.predicate);
    const since = options.lastNs === undefined ? 0 : this.#clock.nowNs() - options.lastNs;
    return [...this.#rows, ...this.#queue].filter((row) => {
      if (row.level === "info" && options.info !== true) return false;
      if (row.level === "debug" && options.debug !== true) return false;
      return row.timeNs >= since && accepts(row);
    });
  }

  /**
   * For a reader that comes again and again: the lines from number `from` on (the first ever is 0), how many of them are no
   * longer kept, and the number to ask for next. Lines that wait for logd are not there yet.
   */
  since(from: number): { readonly rows: readonly LogRow[]; readonly lost: number; readonly next: number } {
    const lost = Math.max(0, this.#forgotten - from);
    const rows = this.#rows.slice(Math.max(0, from - this.#forgotten));
    return { rows, lost, next: Math.max(from, this.#forgotten + this.#rows.length) };
  }

  /** Lines that were kept and have made room for newer ones. */
  get forgottenCount(): number {
    return this.#forgotten;
  }

  /** The kernel's message buffer: the newest of the same texts, by another way. */
  dmesg(): readonly string[] {
    return this.#dmesg.slice(-this.#dmesgLines);
  }

  #keep(row: LogRow): void {
    this.#forgotten += pushNewest(this.#rows, row, this.#keptLines);
  }

  #row(level: LogLevel, message: string): LogRow {
    return {
      timeNs: this.#clock.nowNs(),
      level,
      process: "kernel",
      pid: 0,
      sender: "",
      subsystem: "",
      category: "",
      message,
    };
  }

  #cutText(text: string): string {
    const bytes = encodeUtf8(text);
    if (bytes.length <= cutBytes) return text;
    this.#cut++;
    // Back to the start of a character: its later bytes have the form 10xxxxxx.
    let end = cutBytes;
    while ((bytes[end] & 0xc0) === 0x80) end--;
    return decodeUtf8(bytes.subarray(0, end));
  }

  #enqueue(row: LogRow): void {
    pushNewest(this.#dmesg, row.message, this.#dmesgLines);
    const isLost = this.#queue.length >= this.#capacity;
    this.#recorder?.record(
      TimelineKind.log,
      `${row.sender || "kernel"}: ${row.message}`,
      levels.indexOf(row.level),
      isLost ? 1 : 0,
    );
    if (isLost) {
      this.#dropped++;
      return;
    }
    this.#queue.push(row);
    if (this.#isDraining) return;
    this.#isDraining = true;
    this.#clock.after(this.#drainIntervalNs, drainLog, this as UnifiedLog);
  }

  /** logd takes what is queued. */
  drain(): void {
    this.#isDraining = false;
    for (const row of this.#queue) this.#keep(row);
    this.#queue.length = 0;
  }
}

function drainLog(log: UnifiedLog): void {
  log.drain();
}
