// A panic report as it was read.

export interface PanicReport {
  /** Everything after "panic(cpu N caller 0x...): " up to the next line of the report's own. */
  readonly message: string;
  readonly cpu: number;
  /** "IOServicePM.cpp:5609", or "". */
  readonly source: string;
  /** "24G231", "macOS 15.6", or "". */
  readonly osVersion: string;
  /** "Mac15,14", or "". */
  readonly product: string;
  /** Rows under "Kernel Extensions in backtrace", dependencies left out. Addresses are hex of 16 digits. */
  readonly backtraceRanges: readonly {
    readonly bundle: string;
    readonly version: string;
    readonly start: string;
    readonly end: string;
  }[];
  /** Return addresses, innermost first: hex of 16 digits. */
  readonly returnAddresses: readonly string[];
  /** CR2 or far, as printed; "" when the report does not say. */
  readonly faultAddress: string;
  /** The middle of a report: its first line, which says what happened, is missing. */
  readonly isPart: boolean;
  /** Bundle ids named under "Kernel Extensions in backtrace". */
  readonly backtraceKexts: readonly string[];
  /** Bundle ids under "loaded kexts". */
  readonly loadedKexts: readonly string[];
  /** The report's table of processes; empty when it has none. Pid -1: the table does not say. */
  readonly processes: readonly { readonly pid: number; readonly name: string }[];
  /** "kernel_task", or "". */
  readonly panickedTask: string;
  /** -1 when the report does not say. */
  readonly panickedPid: number;
  /** As printed: "2025-10-01 12:00:00.00 +0000", or "". */
  readonly time: string;
  /** A forced reset or a watchdog (bug_type 151, or the text says so). */
  readonly isForcedReset: boolean;
  /** The whole text. */
  readonly text: string;
}
