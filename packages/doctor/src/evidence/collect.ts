// From sources to evidence: recognises each file by its content and lets every reader that fits look at it.

import {
  defaultLimits,
  type EvidenceLimits,
  type EvidenceSource,
  type Place,
} from "../facts/evidence-source.ts";
import type { EvidenceKind, ReadFile } from "../facts/read-file.ts";
import type { FileDigests, RunningDigest, SignatureCrypto } from "../facts/signature-crypto.ts";
import type { CppGrammar } from "../source/cpp-parser.ts";
import { Evidence, type Secret } from "./evidence.ts";
import type { Fact, FactName, FactTypes } from "./facts.ts";
import { isDiskImage } from "./installer-package.ts";
import { decodeLine, LineScan, WatchTable } from "./line-scan.ts";
import { type LogRow, parseLogRow } from "./log-row.ts";
import { cleanLine, joinedLines } from "./pasted-text.ts";
import { withProject } from "./project-variables.ts";
import {
  type BinaryReader,
  type FactSink,
  type SecretKind,
  TextDocument,
  type TextReader,
} from "./reader.ts";
import { binaryReaders, textReaders } from "./readers.ts";
import { sniffText, textToUtf8 } from "./text-encoding.ts";
import type { Hit, Watch } from "./watch.ts";

const headBytes = 4096;
/** A mail or a post is small; in larger files lines are taken as they are. Bytes. */
const mostWrapped = 128 << 10;

/** Reads everything, in order. Nothing that a file contains makes this fail: it becomes a line in `problems`. */
export async function collectEvidence(
  sources: Iterable<EvidenceSource> | AsyncIterable<EvidenceSource>,
  watches: readonly Watch[],
  limits: EvidenceLimits = defaultLimits,
  cppGrammar: CppGrammar | null = null,
  crypto: SignatureCrypto | null = null,
): Promise<Evidence> {
  const collector = new Collector(watches, limits, cppGrammar, crypto);
  for await (const source of sources) await collector.read(source, 0);
  return collector.finish();
}

/** Compiling a table costs more than reading a small file. Rules hand in the same list each time. */
const tables = new WeakMap<readonly Watch[], WatchTable>();

function tableOf(watches: readonly Watch[]): WatchTable {
  let table = tables.get(watches);
  if (table === undefined) {
    table = new WatchTable(
      watches,
      textReaders.map(({ anchors }) => anchors),
    );
    tables.set(watches, table);
  }
  return table;
}

/** A hit with the file it belongs to, so that a reader may take its lines back. */
interface PendingHit extends Hit {
  readonly watchIndex: number;
}

class Collector {
  readonly #watches: readonly Watch[];
  readonly #table: WatchTable;
  readonly #limits: EvidenceLimits;
  readonly #files: ReadFile[] = [];
  readonly #secrets = new Map<string, Secret>();
  readonly #facts = new Map<FactName, Fact<FactName>[]>();
  readonly #hits = new Map<Watch, Hit[]>();
  readonly #cppGrammar: CppGrammar | null;
  readonly #crypto: SignatureCrypto | null;
  readonly #digests = new Map<string, FileDigests>();
  #unpackedBytes = 0;
  #members = 0;

  constructor(
    watches: readonly Watch[],
    limits: EvidenceLimits,
    cppGrammar: CppGrammar | null,
    crypto: SignatureCrypto | null,
  ) {
    this.#cppGrammar = cppGrammar;
    this.#crypto = crypto;
    this.#watches = watches;
    this.#limits = limits;
    this.#table = tableOf(watches);
  }

  async read(source: EvidenceSource, depth: number): Promise<void> {
    const file = new FileInHand(this.#table, source.name, this.#limits, this.#cppGrammar, this.#crypto);
    const nested: EvidenceSource[] = [];
    try {
      await this.#readInto(file, source, nested);
    } catch (error) {
      file.problem(`cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    }
    this.#keep(file);
    for (const inner of nested) {
      if (depth + 1 > this.#limits.archiveDepth) {
        file.problem(`is an archive inside ${depth} archives; unpack it yourself and give me the folder`);
        break;
      }
      await this.read(inner, depth + 1);
    }
    this.#files.push(file.finish());
  }

  async #readInto(file: FileInHand, source: EvidenceSource, nested: EvidenceSource[]): Promise<void> {
    file.takeNested = (inner) => this.#takeNested(file, nested, inner);
    const digest = this.#crypto === null ? null : new WholeDigest(this.#crypto);
    const pieces: Uint8Array[] = [];
    let held = 0;
    let reader: BinaryReader | null | undefined;
    let tail: Uint8Array = new Uint8Array(0);
    for await (const piece of source.chunks()) {
      if (piece.length === 0) continue;
      file.sizeBytes += piece.length;
      digest?.update(piece);
      pieces.push(piece);
      held += piece.length;
      if (reader === undefined && held >= headBytes) reader = file.begin(joined(pieces, headBytes));
      if (reader === undefined) continue;
      if (reader === null) file.pushText(pieces);
      else if (reader.kind === "unknown") tail = lastOf(tail, pieces);
      else if (held <= (reader.mostBytes ?? this.#limits.wholeFileBytes)) continue;
      else {
        file.problem(
          `is a ${reader.kind} of more than ${(reader.mostBytes ?? this.#limits.wholeFileBytes) >> 20} MiB, which is not read; cut it to the interesting part`,
        );
        return;
      }
      pieces.length = 0;
      held = 0;
    }
    if (digest !== null) this.#digests.set(source.name, digest.finish());
    // Not ??=: null means text, and its lines are being read already.
    if (reader === undefined && file.sizeBytes > 0) reader = file.begin(joined(pieces, headBytes));
    if (reader === undefined) file.problem("is empty");
    else if (reader === null) {
      file.pushText(pieces);
      await file.finishText();
    } else if (reader.kind === "unknown") {
      if (isDiskImage(lastOf(tail, pieces))) {
        file.kind("disk image");
        file.problem(
          `is a disk image, which is not opened here; mount it (hdiutil attach ${source.name.split("/").pop() ?? ""}) and give me the app inside`,
        );
      } else {
        file.kind("unknown");
        file.problem("is binary and of no kind that is known here; say what it is, or leave it out");
      }
    } else {
      file.kind(reader.kind);
      await reader.read({ name: source.name, bytes: joined(pieces, held) }, file);
    }
  }

  #takeNested(file: FileInHand, nested: EvidenceSource[], inner: EvidenceSource): void {
    if (++this.#members > this.#limits.archiveMembers) {
      if (this.#members === this.#limits.archiveMembers + 1)
        file.problem(`more than ${this.#limits.archiveMembers} files in archives; the rest is not read`);
      return;
    }
    nested.push({ name: inner.name, chunks: () => this.#counted(inner) });
  }

  /** Everything that comes out of archives together is bounded: a bomb stops here. */
  async *#counted(inner: EvidenceSource): AsyncGenerator<Uint8Array> {
    for await (const piece of inner.chunks()) {
      this.#unpackedBytes += piece.length;
      if (this.#unpackedBytes > this.#limits.unpackedBytes)
        throw new RangeError(
          `archives unpack to more than ${this.#limits.unpackedBytes >> 20} MiB; the rest is not read`,
        );
      yield piece;
    }
  }

  #keep(file: FileInHand): void {
    for (const [name, facts] of file.facts) {
      const all = this.#facts.get(name) ?? [];
      this.#facts.set(name, all);
      for (const fact of facts) all.push(fact);
    }
    for (const secret of file.secrets) this.#secrets.set(`${secret.kind} ${secret.text}`, secret);
    for (const hit of file.hits.sort((left, right) => left.place.line - right.place.line)) {
      const watch = this.#watches[hit.watchIndex];
      const list = this.#hits.get(watch) ?? [];
      if (list.length < this.#limits.hitsPerWatch * 4) list.push(hit);
      this.#hits.set(watch, list);
    }
  }

  finish(): Evidence {
    this.#applyProject();
    return new Evidence({
      files: this.#files,
      secrets: [...this.#secrets.values()],
      facts: this.#facts,
      hits: this.#hits,
      digests: this.#digests,
    });
  }

  /** Lists of a source tree get what its project says in place of their variables. */
  #applyProject(): void {
    const settings = (this.#facts.get("build-settings") ?? []) as Fact<"build-settings">[];
    const lists = (this.#facts.get("property-list") ?? []) as Fact<"property-list">[];
    if (settings.length === 0 || lists.length === 0) return;
    const all = settings.map(({ value }) => value);
    this.#facts.set(
      "property-list",
      lists.map((list) => withProject(list, all)),
    );
  }
}

/** Both hashes by which a seal may name a file, while it is read in pieces. */
class WholeDigest {
  readonly #sha1: RunningDigest;
  readonly #sha256: RunningDigest;

  constructor(crypto: SignatureCrypto) {
    this.#sha1 = crypto.begin("sha1");
    this.#sha256 = crypto.begin("sha256");
  }

  update(piece: Uint8Array): void {
    this.#sha1.update(piece);
    this.#sha256.update(piece);
  }

  finish(): FileDigests {
    return { sha1: this.#sha1.digest(), sha256: this.#sha256.digest() };
  }
}

/** The end of a disk image says that it is one. */
const tailBytes = 512;

/** The last bytes of what came so far. */
function lastOf(tail: Uint8Array, pieces: readonly Uint8Array[]): Uint8Array {
  const last = pieces.at(-1);
  if (last !== undefined && last.length >= tailBytes) return last.slice(-tailBytes);
  const all = joined([tail, ...pieces], Number.MAX_SAFE_INTEGER);
  return all.slice(Math.max(0, all.length - tailBytes));
}

function joined(pieces: readonly Uint8Array[], most: number): Uint8Array {
  if (pieces.length === 1 && pieces[0].length <= most) return pieces[0];
  const total = Math.min(
    most,
    pieces.reduce((sum, piece) => sum + piece.length, 0),
  );
  const whole = new Uint8Array(total);
  let at = 0;
  for (const piece of pieces) {
    if (at >= total) break;
    const part = piece.subarray(0, total - at);
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** One file while it is being read: the sink of its readers. */
class FileInHand implements FactSink {
  readonly limits: EvidenceLimits;
  readonly cppGrammar: CppGrammar | null;
  readonly crypto: SignatureCrypto | null;
  readonly facts = new Map<FactName, Fact<FactName>[]>();
  readonly secrets: Secret[] = [];
  hits: PendingHit[] = [];
  sizeBytes = 0;
  takeNested: (inner: EvidenceSource) => void = () => {};
  readonly #name: string;
  readonly #table: WatchTable;
  readonly #kinds = new Set<EvidenceKind>();
  readonly #problems: string[] = [];
  readonly #anchored = new Set<TextReader>();
  #scan: LineScan | null = null;
  #recode: ((piece: Uint8Array | null) => Uint8Array) | null = null;
  #whole: Uint8Array[] | null = [];
  #wholeBytes = 0;
  #logRows = 0;

  constructor(
    table: WatchTable,
    name: string,
    limits: EvidenceLimits,
    cppGrammar: CppGrammar | null,
    crypto: SignatureCrypto | null,
  ) {
    this.limits = limits;
    this.cppGrammar = cppGrammar;
    this.crypto = crypto;
    this.#name = name;
    this.#table = table;
  }

  /** Decides from the first bytes: a reader of bytes, or null for text. */
  begin(head: Uint8Array): BinaryReader | null {
    const reader = binaryReaders.find((candidate) => candidate.recognise(head));
    if (reader !== undefined) return reader;
    const encoding = sniffText(head);
    if (encoding === null) {
      return { kind: "unknown", recognise: () => true, read: () => {} };
    }
    this.#recode = textToUtf8(encoding);
    if (
      encoding === "utf-8" &&
      decodeLine(head)
        .split("\n", 40)
        .some((line) => parseLogRow(cleanLine(line)).style !== null)
    )
      this.kind("log");
    this.#scan = new LineScan(this.#name, this.#table, this.limits, {
      hit: (index, place, row, match) => this.#take(index, place, row, match),
      anchor: (index) => this.#anchored.add(textReaders[index]),
    });
    return null;
  }

  pushText(pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) this.#push(this.#recode?.(piece) ?? piece);
  }

  #push(bytes: Uint8Array): void {
    this.#scan?.push(bytes);
    this.#wholeBytes += bytes.length;
    if (this.#whole === null) return;
    if (this.#wholeBytes <= this.limits.wholeFileBytes) this.#whole.push(bytes);
    else this.#whole = null;
  }

  async finishText(): Promise<void> {
    const rest = this.#recode?.(null);
    if (rest !== undefined && rest.length > 0) this.#push(rest);
    this.#scan?.finish();
    if (this.#whole === null) {
      // Neither source nor a manual has this size.
      const skipped = [...this.#anchored]
        .filter((reader) => reader.mostCharacters === undefined)
        .map((reader) => reader.kind);
      if (skipped.length > 0)
        this.problem(
          `is larger than ${this.limits.wholeFileBytes >> 20} MiB: its lines were read, but not what looks like a ${skipped.join(" and a ")} in it; give me the part that matters`,
        );
    } else if (this.#anchored.size > 0 || this.#wholeBytes <= mostWrapped) {
      const bytes = joined(this.#whole, this.#wholeBytes);
      this.#whole = null;
      let whole: TextDocument | null = null;
      const document = () => {
        whole ??= new TextDocument(this.#name, decodeLine(bytes));
        return whole;
      };
      if (this.#wholeBytes <= mostWrapped) this.#scanWrapped(document());
      // The order of readers.ts, not of the anchors in the file.
      for (const reader of textReaders.filter((candidate) => this.#anchored.has(candidate))) {
        const most = reader.mostCharacters?.(this.limits) ?? bytes.length;
        await this.#runReader(
          reader,
          bytes.length <= most
            ? document()
            : new TextDocument(this.#name, decodeLine(bytes.subarray(0, most)), true),
        );
      }
    }
    this.#whole = null;
    if (this.#logRows > 0) this.kind("log");
    if (this.#kinds.size === 0) this.kind("text");
  }

  /** What a watch finds only when wrapped lines are put together again stands at the first of them. */
  #scanWrapped(document: TextDocument): void {
    const lines = document.text.split("\n");
    if (lines.length < 2) return;
    for (const { first, last, text } of joinedLines(lines)) {
      const known = new Set(
        this.hits
          .filter(({ place }) => place.line >= first && place.line <= last)
          .map(({ watchIndex }) => watchIndex),
      );
      const place = document.place(first);
      const scan = new LineScan(this.#name, this.#table, this.limits, {
        hit: (index, inner, row, match) => {
          if (!known.has(index)) this.#take(index, { ...place, text: inner.text }, row, match);
        },
        anchor: (index) => this.#anchored.add(textReaders[index]),
      });
      scan.push(new TextEncoder().encode(text));
      scan.finish();
    }
  }

  async #runReader(reader: TextReader, document: TextDocument): Promise<void> {
    try {
      await reader.read(document, this);
    } catch (error) {
      this.problem(
        `looks like a ${reader.kind}, but cannot be read as one: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }

  #take(index: number, place: Place, row: LogRow, match: RegExpExecArray): void {
    if (row.style !== null) this.#logRows++;
    this.hits.push({ watchIndex: index, place, row, match });
  }

  add<Name extends FactName>(name: Name, place: Place, value: FactTypes[Name]): void {
    const list = this.facts.get(name) ?? [];
    if (list.length === this.limits.factsPerFile)
      this.problem(`more than ${list.length} facts (${name}); the rest is not read`);
    if (list.length <= this.limits.factsPerFile) list.push({ place, value } as Fact<FactName>);
    this.facts.set(name, list);
  }

  problem(text: string): void {
    if (this.#problems.length < 20) this.#problems.push(text);
  }

  kind(kind: EvidenceKind): void {
    this.#kinds.add(kind);
  }

  claimLines(first: number, last: number): void {
    this.hits = this.hits.filter(({ place }) => place.line < first || place.line > last);
  }

  nestedText(place: Place, text: string): void {
    const bytes = new TextEncoder().encode(text);
    const scan = new LineScan(this.#name, this.#table, this.limits, {
      hit: (index, inner, row, match) => this.#take(index, { ...place, text: inner.text }, row, match),
    });
    scan.push(bytes);
    scan.finish();
  }

  nestedFile(source: EvidenceSource): void {
    this.takeNested({ ...source, name: `${this.#name}/${source.name}`, chunks: () => source.chunks() });
  }

  secret(kind: SecretKind, text: string): void {
    if (text.length >= 3 && this.secrets.length < 10_000) this.secrets.push({ kind, text });
  }

  finish(): ReadFile {
    return {
      name: this.#name,
      kinds: [...this.#kinds],
      sizeBytes: this.sizeBytes,
      problems: this.#problems,
    };
  }
}
