// What ends a dext, and why: traps of its own code, and what the C++ runtime found.

import { hex } from "@drydock/core/base/text";

/** As runtime/host.h has them, by number. */
const troubleTexts: readonly ((what: string, address: number, number: number) => string)[] = [
  (what) => what,
  (what) => `${what} on a null pointer`,
  (what, address) => `${what} on an object at 0x${hex(address)} that has been freed`,
  (what, address) => `${what} on 0x${hex(address)}, which is no object`,
  (what) => `a ${what} was released more often than retained`,
  (what, address) => `IOFree of 0x${hex(address)}, which is no ${what} that was allocated`,
  (_what, address) => `IOFree of 0x${hex(address)}, which has been freed already`,
  (_what, address, size) =>
    `IOFree of 0x${hex(address)} with ${size} bytes, which is not what it was allocated with`,
  (what, _address, size) => `a write went past the end of ${what} of ${size} bytes`,
  (what) => `OSRequiredCast to ${what} of an object of another class`,
  (what) => what,
  (what) => `SUPERDISPATCH in a class below ${what}: no class above it has this method`,
  (what, _address, holder) => `${what}${holder === 0 ? "" : ` (held by task ${holder})`}`,
  (what) => `a call of ${what}`,
];

export function troubleText(kind: number, what: string, address: number, number: number): string {
  return (troubleTexts[kind] ?? ((text) => `trouble ${kind}: ${text}`))(what, address, number);
}

/** The dext's own fault: its process dies of it. `frames` innermost first, as people read them. */
export class DextTrap extends Error {
  override readonly name = "DextTrap";
  readonly frames: readonly string[];

  constructor(text: string, frames: readonly string[]) {
    super(frames.length === 0 ? text : `${text}, in ${frames[0]}`);
    this.frames = frames;
  }
}

/** How the engine's own traps read to people. */
export function trapText(message: string): string {
  if (/unreachable/.test(message))
    return "unreachable code (a function without its return, or __builtin_trap)";
  if (/memory access out of bounds/.test(message)) return "access outside of all memory";
  if (/divide by zero|division by zero/.test(message)) return "division by zero";
  if (/remainder by zero/.test(message)) return "remainder of a division by zero";
  if (/null function|signature mismatch|table index|indirect call/.test(message))
    return "call through a pointer that is no function of this type";
  if (/call stack|stack size/i.test(message)) return "the stack is exhausted: endless recursion";
  return message;
}
