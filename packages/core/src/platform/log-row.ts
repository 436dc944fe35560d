// One line of the system's log, as every reader and writer of it sees it.

export type LogLevel = "default" | "info" | "debug" | "error" | "fault";

/** One line as `log show` would have it. */
export interface LogRow {
  /** Virtual nanoseconds. */
  readonly timeNs: number;
  readonly level: LogLevel;
  readonly process: string;
  readonly pid: number;
  /** Image that logged, as resolved; empty when it is the process's own or could not be resolved. */
  readonly sender: string;
  readonly subsystem: string;
  readonly category: string;
  readonly message: string;
}
