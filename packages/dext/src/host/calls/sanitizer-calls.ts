// What a dext that was built with --sanitize tells: bad accesses end it, undefined behaviour is noted and goes on.

import type { CxxProcess, HostCalls } from "../cxx-process.ts";
import type { WasmValue } from "../engine.ts";
import { badAccessText, MemoryStory } from "../memory-story.ts";
import { DextTrap } from "../trouble.ts";
import { readUndefinedBehaviour, undefinedKinds } from "../undefined-behaviour.ts";
import { callsOf, plain } from "./host-call.ts";

/** Of one global: LLVM's AddressSanitizer, eight words. */
const globalBytes = 32;

/** Found at the same place once; "text, in Probe::Start_Impl (Probe.cpp:34)". */
function noteUndefined(cxx: CxxProcess, kind: string, values: readonly WasmValue[]): undefined {
  const { column, file, line, text } = readUndefinedBehaviour(cxx.memory, kind, values);
  const name = file.slice(file.lastIndexOf("/") + 1);
  const place = `${name}:${line}:${column}`;
  const list = cxx.ledger.undefinedBehaviour;
  if (list.some((known) => known.includes(`undefined behaviour at ${place}:`))) return undefined;
  const [where] = cxx.here();
  list.push(`undefined behaviour at ${place}: ${text}${where === undefined ? "" : `, in ${where}`}`);
  return undefined;
}

const undefinedCalls: HostCalls = Object.fromEntries(
  undefinedKinds.flatMap((kind) =>
    ["", "_abort"].map((ending) => [
      `__ubsan_handle_${kind}${ending}`,
      {
        blocks: false,
        run: (cxx: CxxProcess, ...values: WasmValue[]) => noteUndefined(cxx, kind, values),
      },
    ]),
  ),
);

/** Beside those of the runtime, some of which they replace. */
export const sanitizerCalls: HostCalls = {
  ...undefinedCalls,
  ...callsOf("drydock", {
    allocated: plain((cxx, at: number, size: number) => {
      cxx.story?.made(at, size, "a block", cxx.memoryStack());
      return undefined;
    }),
    released: plain((cxx, at: number) => {
      cxx.story?.freed(at, cxx.memoryStack());
      return undefined;
    }),
    globals: plain((cxx, list: number, count: number) => {
      const { memory } = cxx;
      for (let at = list; at < list + count * globalBytes; at += globalBytes)
        cxx.story?.made(
          memory.u32(at),
          memory.u32(at + 4),
          `the global ${memory.text(memory.u32(at + 12), 200)}`,
          "",
        );
      return undefined;
    }),
    bad_access: plain((cxx, isWrite: number, at: number, size: number, bad: number, shadow: number) => {
      const access = {
        isWrite: isWrite !== 0,
        at: at >>> 0,
        size: size >>> 0,
        bad: bad >>> 0,
        shadow: shadow & 0xff,
      };
      const describe = (stack: string) => (stack === "" ? [] : cxx.image.describe(stack));
      const text = badAccessText(cxx.story ?? new MemoryStory(), access, cxx.memory, describe);
      throw new DextTrap(text, cxx.here());
    }),
  }),
};
