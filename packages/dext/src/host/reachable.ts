// What of a dext's memory can be reached from an object: through its members, allocations and collections.

import type { CxxProcess } from "./cxx-process.ts";

const wordBytes = 4;
/** Before an allocation (runtime/library.cpp): eight bytes of size, eight of mark. */
const headBytes = 16;
const headMark = 0x5afe5afe0b10c4edn;
/** A copied block (Block.h): its descriptor, and in that its size. */
const blockDescriptorAt = 16;
const blockSizeAt = 4;
const collections: ReadonlySet<string> = new Set(["OSArray", "OSDictionary", "OSSet", "OSOrderedSet"]);

/**
 * Addresses of objects and allocations to which words lead that begin at `roots`, themselves among them. A word that only looks
 * like an address counts as one. `blocks`: roots that are copied blocks; `plain`: further addresses that are told where they are met.
 */
export function reachableFrom(
  cxx: CxxProcess,
  roots: readonly number[],
  blocks: readonly number[],
  plain: ReadonlySet<number>,
): ReadonlySet<number> {
  const { memory } = cxx;
  const end = memory.bytes.length;
  const seen = new Set<number>();
  const waiting: (readonly [from: number, to: number])[] = [];
  const visit = (address: number): void => {
    if (address < headBytes || address >= end || address % wordBytes !== 0 || seen.has(address)) return;
    if (plain.has(address)) seen.add(address);
    const objectEnd = cxx.endOf(address);
    if (objectEnd !== null) {
      seen.add(address);
      waiting.push([address, objectEnd]);
      if (!collections.has(cxx.classNameOf(address))) return;
      const members = (which: number) => cxx.engine.callExport("drydock_members", [address, which]) as number;
      // What a collection keeps its values in has no head of ours.
      for (const list of [members(1), members(2)])
        if (list !== 0) waiting.push([list, list + members(0) * wordBytes]);
    } else if (memory.u64(address - headBytes / 2) === headMark) {
      seen.add(address);
      waiting.push([address, address + Number(memory.u64(address - headBytes))]);
    }
  };
  roots.forEach(visit);
  for (const block of blocks)
    waiting.push([block, block + memory.u32(memory.u32(block + blockDescriptorAt) + blockSizeAt)]);
  for (let range = waiting.pop(); range !== undefined; range = waiting.pop()) {
    const [from, to] = range;
    for (let at = from; at + wordBytes <= Math.min(to, end); at += wordBytes) visit(memory.u32(at));
  }
  return seen;
}
