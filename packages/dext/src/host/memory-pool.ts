// Memories of dexts that have ended, for the next ones: each new one of 32 MiB brings the collector of the host nearer.

const pageBytes = 65536;
/** Of each kind; what comes back beyond is left to the collector. */
const keptMost = 2;
const kept = new Map<string, WebAssembly.Memory[]>();

export interface MemoryKind {
  /** 64 KiB each. */
  readonly initial: number;
  readonly maximum: number;
  readonly shared: boolean;
}

function keyOf({ initial, maximum, shared }: MemoryKind): string {
  return `${initial} ${maximum} ${shared}`;
}

export function pagesOf(bytes: number): number {
  return Math.ceil(bytes / pageBytes);
}

/** All zeros. */
export function takeMemory(kind: MemoryKind): WebAssembly.Memory {
  const found = kept.get(keyOf(kind))?.pop();
  if (found === undefined) return new WebAssembly.Memory(kind);
  new Uint8Array(found.buffer).fill(0);
  return found;
}

/** No code runs in it again, and nobody looks at it. */
export function giveMemoryBack(kind: MemoryKind, memory: WebAssembly.Memory): void {
  const key = keyOf(kind);
  const same = kept.get(key) ?? [];
  kept.set(key, same);
  const isWhole = memory.buffer.byteLength === kind.initial * pageBytes;
  if (isWhole && same.length < keptMost) same.push(memory);
}
