// The cases that have dexts in C++ too, each loaded when it is asked for. On Node only: a compiler is needed.

import type { CppCase } from "./cpp-case.ts";

const doors: Readonly<Record<string, () => Promise<CppCase>>> = {
  P02: async () => (await import("./P02-set-line-coding/cpp-case.ts")).setLineCodingCpp,
  P06: async () => (await import("./P06-osdeclare-structors/cpp-case.ts")).declareStructorsCpp,
  P09: async () => (await import("./P09-sendcdb-uas/cpp-case.ts")).sendCdbUasCpp,
  P11: async () => (await import("./P11-interrupt-queue-trap/cpp-case.ts")).interruptTrapCpp,
  P14: async () => (await import("./P14-unplug-panic/cpp-case.ts")).unplugPanicCpp,
  P15: async () => (await import("./P15-power-20s/cpp-case.ts")).power20sCpp,
  P16: async () => (await import("./P16-contiguous-dma/cpp-case.ts")).contiguousDmaCpp,
  P17: async () => (await import("./P17-lost-logs/cpp-case.ts")).lostLogsCpp,
  P18: async () => (await import("./P18-zero-dma/cpp-case.ts")).zeroDmaCpp,
  P20: async () => (await import("./P20-userclient-sample/cpp-case.ts")).userClientSampleCpp,
};

export const cppCaseIds: readonly string[] = Object.keys(doors);

/** By id, in any letter case. Rejects with a RangeError that lists what there is. */
export async function loadCppCase(id: string): Promise<CppCase> {
  const known = cppCaseIds.find((each) => each.toLowerCase() === id.toLowerCase());
  if (known === undefined)
    throw new RangeError(`${id} is not written in C++; these are: ${cppCaseIds.join(", ")}`);
  return doors[known]();
}
