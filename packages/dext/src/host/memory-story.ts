// What the dext's memory was given out for and when it was taken back, so that a bad access can be told with its cause.

import type { DextMemory } from "./dext-memory.ts";

export interface Block {
  readonly at: number;
  readonly length: number;
  /** "a block", "a buffer", "an object of class Foo", "the global table". */
  readonly what: string;
  /** Stack of the engine's at its making; empty: a global. */
  readonly madeAt: string;
  /** null: nobody has given it up. */
  freedAt: string | null;
}

/** Why a shadow byte forbids an access: as runtime/shadow.h and LLVM's pass write them. */
const kinds: Readonly<Record<number, string>> = {
  0: "wild-access",
  254: "null-dereference",
  250: "heap-buffer-overflow",
  253: "heap-use-after-free",
  252: "object-use-after-free",
  249: "global-buffer-overflow",
  241: "stack-buffer-underflow",
  242: "stack-buffer-overflow",
  243: "stack-buffer-overflow",
  245: "stack-use-after-return",
  248: "stack-use-after-scope",
  202: "alloca-buffer-overflow",
};

/** Of those that have been given up, so many are remembered: as many as the runtime keeps. */
const freedMost = 8192;
/** How far beside a block an access may lie to be told by it. */
const nearBytes = 4096;

export class MemoryStory {
  readonly #blocks = new Map<number, Block>();
  readonly #freed: Block[] = [];

  made(at: number, length: number, what: string, madeAt: string): void {
    this.#blocks.set(at, { at, length, what, madeAt, freedAt: null });
  }

  freed(at: number, freedAt: string): void {
    const block = this.#blocks.get(at);
    if (block === undefined) return;
    block.freedAt = freedAt;
    this.#freed.push(block);
    if (this.#freed.length <= freedMost) return;
    const oldest = this.#freed.shift() as Block;
    if (this.#blocks.get(oldest.at) === oldest) this.#blocks.delete(oldest.at);
  }

  /** The one that holds the address; otherwise the one that ends before it, or begins behind it, the nearest. */
  at(address: number): { readonly block: Block; readonly distance: number } | null {
    let best: { readonly block: Block; readonly distance: number } | null = null;
    for (const block of this.#blocks.values()) {
      const past = address - (block.at + block.length);
      const distance = address < block.at ? block.at - address : past < 0 ? 0 : past + 1;
      if (distance <= nearBytes && (best === null || distance < best.distance)) best = { block, distance };
    }
    return best;
  }
}

/** A variable of a function's frame, as LLVM's pass writes it down at the frame's beginning. */
interface StackVariable {
  /** "the variable local, declared in line 12", or without a name where the compiler has made it another's. */
  readonly name: string;
  readonly at: number;
  readonly length: number;
}

const frameMark = 0x41b58ab3;
const frameGrain = 32;
const frameMost = 65536;

/** Variables of the frame around an address; empty: none is found. */
function stackVariables(memory: DextMemory, address: number): StackVariable[] {
  const first = address - (address % frameGrain);
  for (let at = first; at > 0 && at > first - frameMost; at -= frameGrain) {
    if (memory.u32(at) !== frameMark) continue;
    // "2 32 16 8 local:12 64 4 5 inner": how many, then place, size, length of the name and name of each, with its line where one is known.
    const words = memory.text(memory.u32(at + 4), 4096).split(" ");
    const variables: StackVariable[] = [];
    for (let index = 1; index + 3 < words.length; index += 4) {
      const [name, line] = words[index + 3].split(":");
      // A second variable of the same name in a function is numbered by the compiler.
      const shownName = /\d$/.test(name) && line !== undefined ? "a variable" : `the variable ${name}`;
      variables.push({
        name: line === undefined ? shownName : `${shownName}, declared in line ${line},`,
        at: at + Number(words[index]),
        length: Number(words[index + 1]),
      });
    }
    return variables;
  }
  return [];
}

/** Above it a length of 32 bits is one that has fallen below zero. */
const largestLength = 0x7fff_ffff;

export interface BadAccess {
  readonly isWrite: boolean;
  readonly at: number;
  readonly size: number;
  /** The first byte of it that is forbidden. */
  readonly bad: number;
  /** Why, as the shadow says. */
  readonly shadow: number;
}

/** "heap-buffer-overflow: a write of 4 bytes, right behind a block of 16 bytes, made in ...". `describe` reads a stack, innermost first. */
export function badAccessText(
  story: MemoryStory,
  { at, bad, isWrite, shadow, size }: BadAccess,
  memory: DextMemory,
  describe: (stack: string) => readonly string[],
): string {
  const isBelowZero = size > largestLength;
  const kind = isBelowZero ? "negative-size" : (kinds[shadow] ?? "bad-access");
  const what = isBelowZero ? `${size} bytes, which is a length of ${size - 0x1_0000_0000}` : "";
  const head = `${kind}: ${isWrite ? "a write" : "a read"} of ${what === "" ? `${size} byte${size === 1 ? "" : "s"}` : what}`;
  if (shadow === 0xfe) return `${head} at address 0x${at.toString(16)}, where nothing is`;
  if (shadow === 0) return `${head} at 0x${at.toString(16)}, outside of all memory`;
  if (shadow === 0xca) return `${head}, beside memory of alloca`;
  if (shadow >= 0xf1 && shadow <= 0xf8)
    return `${head}, ${stackText(shadow, bad, stackVariables(memory, bad))}`;
  const found = story.at(bad);
  if (found === null) return `${head} at 0x${at.toString(16)}, beside what was allocated`;
  const { block } = found;
  const made = describe(block.madeAt)[0];
  const freed = block.freedAt === null ? undefined : describe(block.freedAt)[0];
  return [
    `${head}, ${whereIn(block, bad)} ${block.what} of ${block.length} bytes`,
    ...(made === undefined ? [] : [`made in ${made}`]),
    ...(freed === undefined ? [] : [`given up in ${freed}`]),
  ].join(", ");
}

function stackText(shadow: number, bad: number, variables: readonly StackVariable[]): string {
  if (shadow === 0xf5) return "of a variable whose function has returned";
  const inside = variables.find(({ at, length }) => bad >= at && bad < at + length);
  if (shadow === 0xf8)
    return inside === undefined
      ? "of a variable whose block has ended"
      : `of ${inside.name} whose block has ended`;
  const before = variables.findLast(({ at, length }) => at + length <= bad);
  if (before !== undefined) return `${whereIn(before, bad)} ${before.name} of ${before.length} bytes`;
  const [next] = variables;
  return next === undefined
    ? "beside the variables of a function"
    : `${whereIn(next, bad)} ${next.name} of ${next.length} bytes`;
}

function whereIn(block: { readonly at: number; readonly length: number }, at: number): string {
  if (at < block.at) return `${block.at - at} bytes before`;
  const past = at - block.at - block.length;
  if (past < 0) return `at byte ${at - block.at} of`;
  return past === 0 ? "right behind" : `${past} bytes behind`;
}
