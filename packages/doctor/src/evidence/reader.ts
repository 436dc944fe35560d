// What a reader is, what it is given, and where it puts what it finds.

import type { EvidenceLimits, EvidenceSource, Place } from "../facts/evidence-source.ts";
import { shownText } from "../facts/evidence-source.ts";
import type { EvidenceKind } from "../facts/read-file.ts";
import type { SignatureCrypto } from "../facts/signature-crypto.ts";
import type { CppGrammar } from "../source/cpp-parser.ts";
import type { FactName, FactTypes } from "./facts.ts";

/** Where readers put facts. */
export interface FactSink {
  readonly limits: EvidenceLimits;
  /** For source; without it source is named and not read. */
  readonly cppGrammar?: CppGrammar | null;
  /** For signatures; without it they are read and not verified. */
  readonly crypto?: SignatureCrypto | null;
  add<Name extends FactName>(name: Name, place: Place, value: FactTypes[Name]): void;
  /** A line for the person: what could not be read, and what to do. */
  problem(text: string): void;
  /** The file is (also) of this kind. */
  kind(kind: EvidenceKind): void;
  /** Lines `first..last` are quoted by a structure: forget what watches saw there, the reader gives the text itself. */
  claimLines(first: number, last: number): void;
  /** Text that was inside a value. Its lines are searched by all watches; every hit is placed at `place`. */
  nestedText(place: Place, text: string): void;
  /** A file inside this one. Bounded by depth and total size. */
  nestedFile(source: EvidenceSource): void;
  /** Something that `--redact` must take out of every report. */
  secret(kind: SecretKind, text: string): void;
}

export type SecretKind = "team" | "serial" | "user" | "device" | "profile" | "name";

/** A reader of text looks at files that contain one of its anchors, wherever that is: people paste fragments. */
export interface TextReader {
  readonly kind: EvidenceKind;
  /** ASCII, four characters or more, letters in either case. */
  readonly anchors: readonly string[];
  /** Of a larger file it is given the beginning alone, which is enough to say what the file is. */
  readonly mostCharacters?: (limits: EvidenceLimits) => number;
  read(text: TextDocument, sink: FactSink): void | Promise<void>;
}

/** A reader of bytes knows its file by the first ones. */
export interface BinaryReader {
  readonly kind: EvidenceKind;
  recognise(head: Uint8Array): boolean;
  /** Largest file that is read, where it is more than {@link EvidenceLimits.wholeFileBytes}. */
  readonly mostBytes?: number;
  read(file: { readonly name: string; readonly bytes: Uint8Array }, sink: FactSink): void | Promise<void>;
}

/** Text with its lines. Line numbers begin with 1; offsets are code units. */
export class TextDocument {
  readonly name: string;
  readonly text: string;
  /** The file goes on. */
  readonly isCut: boolean;
  #starts: Uint32Array | null = null;

  constructor(name: string, text: string, isCut = false) {
    this.name = name;
    this.text = text;
    this.isCut = isCut;
  }

  /** Number of the line that holds the character at `offset`. */
  lineAt(offset: number): number {
    const starts = this.#lineStarts();
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle] <= offset) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  }

  /** The line without its end. */
  line(number: number): string {
    const starts = this.#lineStarts();
    if (number < 1 || number > starts.length) return "";
    const end = number < starts.length ? starts[number] - 1 : this.text.length;
    return this.text.slice(starts[number - 1], end).replace(/\r$/, "");
  }

  get lineCount(): number {
    return this.#lineStarts().length;
  }

  /** Offset of the first character of a line. */
  startOf(number: number): number {
    return this.#lineStarts()[number - 1] ?? this.text.length;
  }

  place(line: number): Place {
    return { file: this.name, line, text: shownText(this.line(line)) };
  }

  placeAt(offset: number): Place {
    return this.place(this.lineAt(offset));
  }

  /** The same with the column. */
  pointAt(offset: number): Place {
    const line = this.lineAt(offset);
    return { ...this.place(line), column: offset - this.startOf(line) + 1 };
  }

  #lineStarts(): Uint32Array {
    if (this.#starts !== null) return this.#starts;
    const starts = [0];
    for (let at = this.text.indexOf("\n"); at >= 0; at = this.text.indexOf("\n", at + 1)) starts.push(at + 1);
    this.#starts = Uint32Array.from(starts);
    return this.#starts;
  }
}
