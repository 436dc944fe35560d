// Descriptors of USB devices in files: bytes as Linux's sysfs has them, what lsusb -v prints, arrays of a source.

import { readDescriptors } from "../descriptors/read-descriptors.ts";
import { splitDescriptors } from "../descriptors/split-descriptors.ts";
import type { BinaryReader, TextReader } from "./reader.ts";

/** A device with all its configurations has some kilobytes. */
const mostBytes = 64 << 10;

export const descriptorBytesReader: BinaryReader = {
  kind: "USB descriptors",
  mostBytes,
  // Bytes that are text as well (a table of numbers) are looked at as text.
  recognise: (head) =>
    (head[0] === 18 && head[1] === 1 && head.length >= 18) ||
    (head[0] === 9 && head[1] === 2 && head.length >= 18 && splitDescriptors(head).length > 0),
  read(file, sink) {
    const given = splitDescriptors(file.bytes);
    if (given.length > 0)
      sink.add(
        "descriptors",
        { file: file.name, line: 0, offset: 0, text: "USB descriptors" },
        { name: "", speed: null, given },
      );
  },
};

export const descriptorTextReader: TextReader = {
  kind: "USB descriptors",
  anchors: [
    "bDescriptorType",
    "0x12, 0x01",
    "0x09, 0x02",
    "0x05, 0x01",
    "0x12,0x01",
    "0x09,0x02",
    "0x05,0x01",
  ],
  read(document, sink) {
    const { sets } = readDescriptors(new TextEncoder().encode(document.text));
    if (sets.length > 0) sink.kind("USB descriptors");
    for (const set of sets) {
      const line = set.given[0]?.lineOf?.(0) ?? 1;
      sink.add("descriptors", document.place(line), set);
    }
  },
};
