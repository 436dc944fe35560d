// The classes of a dext, as its own records in its memory say them (drydock/class.h). Read once for each image.

import type { DextImage } from "./dext-image.ts";
import type { DextMemory } from "./dext-memory.ts";

/** One method of a class, as the dext's own record says it. */
export interface CxxMethod {
  readonly id: bigint;
  /** "IOService.Start": the class that introduced it, and the method. */
  readonly name: string;
  /** "IOUSBHostPipe.CompleteAsyncIO", or empty. */
  readonly callback: string;
  readonly queue: string;
  readonly thunk: number;
}

export interface CxxClass {
  readonly name: string;
  readonly record: number;
  readonly superclass: CxxClass | null;
  readonly methods: readonly CxxMethod[];
}

export interface ClassRecords {
  readonly byName: ReadonlyMap<string, CxxClass>;
  /** By the record's address. */
  readonly byRecord: ReadonlyMap<number, CxxClass>;
}

const wordBytes = 4;
const superclassAt = wordBytes;
const methodsAt = 16;
const methodCountAt = 20;
const nextAt = 24;
const methodBytes = 24;

/** Records are constants of the module: another process of the same image has the same at the same addresses. */
const known = new WeakMap<DextImage, ClassRecords>();

export function knownClassRecords(image: DextImage): ClassRecords | null {
  return known.get(image) ?? null;
}

/** `first`: the record that was registered last; 0: there are none. */
export function readClassRecords(image: DextImage, memory: DextMemory, first: () => number): ClassRecords {
  const cached = known.get(image);
  if (cached !== undefined) return cached;
  const byRecord = new Map<number, CxxClass>();
  const byName = new Map<string, CxxClass>();
  const textAt = (at: number): string => {
    const pointer = memory.u32(at);
    return pointer === 0 ? "" : memory.text(pointer);
  };
  const read = (record: number): CxxClass => {
    const found = byRecord.get(record);
    if (found !== undefined) return found;
    const above = memory.u32(record + superclassAt);
    const methods: CxxMethod[] = [];
    const table = memory.u32(record + methodsAt);
    for (let index = 0; index < memory.u32(record + methodCountAt); index++) {
      const at = table + index * methodBytes;
      if (memory.u32(at + 8) === 0) continue;
      methods.push({
        id: memory.u64(at),
        name: textAt(at + 8),
        callback: textAt(at + 12),
        queue: textAt(at + 16),
        thunk: memory.u32(at + 20),
      });
    }
    const cls: CxxClass = {
      name: textAt(record),
      record,
      superclass: above === 0 ? null : read(above),
      methods,
    };
    byRecord.set(record, cls);
    byName.set(cls.name, cls);
    return cls;
  };
  for (let at = first(); at !== 0; at = memory.u32(at + nextAt)) read(at);
  const records: ClassRecords = { byName, byRecord };
  known.set(image, records);
  return records;
}
