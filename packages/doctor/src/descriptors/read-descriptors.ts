// Descriptors from whatever people have: bytes, hexadecimal text, lsusb -v, arrays of a source.

import type { DescriptorSet } from "./descriptor-set.ts";
import { readLsusbListing } from "./lsusb-listing.ts";
import { readHexText, readSourceArrays } from "./source-arrays.ts";
import { splitDescriptors } from "./split-descriptors.ts";
import { sniffHead } from "./text-head.ts";

export interface DescriptorsRead {
  readonly sets: readonly DescriptorSet[];
  /** What looked like an array of descriptors and could not be evaluated. */
  readonly notRead: readonly { readonly line: number; readonly word: string }[];
}

/** No set: nothing of the kind is in the bytes. */
export function readDescriptors(bytes: Uint8Array): DescriptorsRead {
  const whole = splitDescriptors(bytes);
  if (whole.length > 0) return { sets: [{ name: "", speed: null, given: whole }], notRead: [] };
  if (!sniffHead(bytes)) return { sets: [], notRead: [] };
  const text = new TextDecoder().decode(bytes);
  if (/^\s*bDescriptorType\s/m.test(text)) {
    const sets = readLsusbListing(text).filter(({ given }) => given.length > 0);
    if (sets.length > 0) return { sets, notRead: [] };
  }
  const dump = readHexText(text);
  if (dump !== null)
    return { sets: dump.length === 0 ? [] : [{ name: "", speed: null, given: dump }], notRead: [] };
  const { given, notRead } = readSourceArrays(text);
  return { sets: given.length === 0 ? [] : [{ name: "", speed: null, given }], notRead };
}
