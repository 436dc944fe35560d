// How a framework call fails: an IOReturn with the place and the time.

import { formatReturn, type IOReturn, returnName } from "../base/io-return.ts";
import { formatNs } from "../base/units.ts";

/** Rejection of a framework call. `code` is what C++ would have got as kern_return_t. */
export class IOError extends Error {
  override readonly name = "IOError";
  readonly code: IOReturn;
  /** The call, for example "IOUSBHostInterface.deviceRequest". */
  readonly call: string;
  /** Registry path of the object that was called; empty when it has none. */
  readonly path: string;
  /** Virtual time of the failure, nanoseconds. */
  readonly timeNs: number;
  /** What whoever failed said of it; may be empty. */
  readonly detail: string;

  constructor(code: IOReturn, call: string, path: string, timeNs: number, detail = "") {
    const where = path === "" ? "" : ` on ${path}`;
    const why = detail === "" ? "" : `: ${detail}`;
    super(
      `${call}${where} failed with ${returnName(code)} (${formatReturn(code)}) at ${formatNs(timeNs)}${why}`,
    );
    this.code = code >>> 0;
    this.call = call;
    this.path = path;
    this.timeNs = timeNs;
    this.detail = detail;
  }
}

/** Thrown through the code of a process that was killed, so that it stops where it stands. Never caught by drivers. */
export class ProcessKilled extends Error {
  override readonly name = "ProcessKilled";
}
