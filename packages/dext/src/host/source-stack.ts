// A stack of the engine's, in words of the driver's author: function, file and line of each frame of the dext.

import type { DebugLines, SourcePlace } from "./debug-lines.ts";

export interface SourceFrame {
  readonly function: string;
  readonly place: SourcePlace | null;
}

/** Frames of C++ that are Drydock's own: between the driver's. */
const ownFile = /(?:^|\/)(?:drydock|dext-runtime|glue)\//;

/** Innermost first, without what is not of the module. `functionNames` by index. */
export function sourceFrames(
  stack: string,
  lines: DebugLines,
  functionNames: ReadonlyMap<number, string>,
): SourceFrame[] {
  const frames: SourceFrame[] = [];
  for (const [, index, offset] of stack.matchAll(/wasm-function\[(\d+)\]:0x([0-9a-f]+)/g)) {
    const place = lines.at(Number.parseInt(offset, 16));
    const name = functionNames.get(Number(index)) ?? `function ${index}`;
    frames.push({ function: name, place });
  }
  return frames;
}

/** Those of the driver's author: what begins with the innermost one that is his. */
export function authorsFrames(frames: readonly SourceFrame[]): SourceFrame[] {
  return frames.filter(
    ({ function: name, place }) =>
      place !== null && place.line > 0 && !ownFile.test(place.file) && !/_thunk\b/.test(name),
  );
}

/** "Probe::Start_Impl (Probe.cpp:34)": without parameters, and the file by its name. */
export function describeFrame({ function: name, place }: SourceFrame): string {
  const short = name.replace(/(?<=\w)\(.*$/, "");
  if (place === null) return short;
  return `${short} (${place.file.slice(place.file.lastIndexOf("/") + 1)}:${place.line})`;
}
