// A crash report as it was read: process, exception, threads.

export interface CrashFrame {
  readonly image: string;
  /** "" where nothing was symbolicated. */
  readonly symbol: string;
  /** Bytes from the symbol, or from the image where nothing was symbolicated; null when the report does not say. */
  readonly offset?: number | null;
}

export interface CrashThread {
  readonly name: string;
  readonly queue: string;
  readonly isTriggered: boolean;
  /** Innermost first. */
  readonly frames: readonly CrashFrame[];
}

export interface CrashReport {
  readonly process: string;
  readonly path: string;
  readonly bundleIdentifier: string;
  /** "1.0 (1)" or "1"; "" when the report does not say. */
  readonly version: string;
  /** -1 when the report does not say. */
  readonly pid: number;
  /** As printed: "2025-10-01 12:00:00.0000 +0000", or "". */
  readonly time: string;
  /** "Mac15,14", or "". */
  readonly product: string;
  /** "macOS 15.7.1 (24G231)" */
  readonly osVersion: string;
  readonly exceptionType: string;
  readonly signal: string;
  /** "KERN_INVALID_ADDRESS at 0x..." or the codes. */
  readonly codes: string;
  /** The codes as numbers, where they are printed; beyond 2^53 they are rounded. */
  readonly rawCodes: readonly number[];
  /** Address of a bad access; null when there is none. */
  readonly address: number | null;
  /** Application specific information, and the loader's words. */
  readonly information: readonly string[];
  readonly termination: string;
  /** "CODESIGNING", "DYLD", "SIGNAL", ...; "" when the report does not say. */
  readonly terminationNamespace: string;
  /** -1 when the report does not say. */
  readonly terminationCode: number;
  readonly threads: readonly CrashThread[];
  readonly images: readonly string[];
  /** True when the process is a driver extension. */
  readonly isDext: boolean;
}

/** The thread that crashed; the first with frames when no report says. */
export function crashedThread(report: CrashReport): CrashThread | null {
  return (
    report.threads.find((thread) => thread.isTriggered) ??
    report.threads.find((thread) => thread.frames.length > 0) ??
    null
  );
}
