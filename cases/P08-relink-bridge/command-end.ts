// P08: what became of a command, as numbers on the way to the app and as words for people.

import { formatReturn, IOReturns } from "@drydock/core/base/io-return";
import { senseCodeOf, senseWords } from "@drydock/core/dissect/storage-wire";

export const senseBytes = 18;
export const unlockCodeBytes = 16;

/** As UserSendCDB answers it. */
export interface CommandParts {
  /** kern_return_t of the call. */
  readonly code: number;
  /** TASK COMPLETE: the drive gave a status. */
  readonly isComplete: boolean;
  readonly isGood: boolean;
  /** Empty: none came. */
  readonly sense: Uint8Array;
  readonly data: Uint8Array;
}

export interface CommandEnd {
  /** GOOD, sense in words, "no status", "device gone". */
  readonly text: string;
  readonly isGood: boolean;
  /** kIOReturnNoDevice: the device left while the command was under way, or before. */
  readonly isGone: boolean;
  /** ASC and ASCQ, -1 without sense. */
  readonly senseCode: number;
  readonly data: Uint8Array;
}

export function commandEnd({ code, data, isComplete, isGood, sense }: CommandParts): CommandEnd {
  if (code !== IOReturns.kIOReturnSuccess) {
    const isGone = code === IOReturns.kIOReturnNoDevice;
    const text = isGone ? "device gone" : formatReturn(code as (typeof IOReturns)[keyof typeof IOReturns]);
    return { text, isGood: false, isGone, senseCode: -1, data: new Uint8Array(0) };
  }
  const text = isGood ? "GOOD" : isComplete ? senseWords(sense) : "no status";
  return { text, isGood, isGone: false, senseCode: senseCodeOf(sense), data };
}

/** A call that failed. */
export const failedCommand = (code: number): CommandParts => ({
  code,
  isComplete: false,
  isGood: false,
  sense: new Uint8Array(0),
  data: new Uint8Array(0),
});
