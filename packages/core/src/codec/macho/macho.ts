// Mach-O: slices, load commands, imports, build version. Facts of <mach-o/loader.h>'s public format, posts.md P03.

import { DecodeError } from "../../base/errors.ts";
import { decodeUtf8, hexBytes } from "../../base/text.ts";

const fatMagic = 0xcafebabe;
const fatMagic64 = 0xcafebabf;
const magic64 = 0xfeedfacf;
const magic32 = 0xfeedface;
const sliceMaximum = 32;
const commandMaximum = 4096;
const symbolMaximum = 1_000_000;

/** Load commands that are read. */
const Command = {
  symbolTable: 0x02,
  loadDylib: 0x0c,
  idDylib: 0x0d,
  segment64: 0x19,
  uuid: 0x1b,
  codeSignature: 0x1d,
  versionMinMac: 0x24,
  versionMinPhone: 0x25,
  buildVersion: 0x32,
  loadWeakDylib: 0x80000018,
  reexportDylib: 0x8000001f,
  chainedFixups: 0x80000034,
} as const;

/** LC_BUILD_VERSION's platforms. */
export const machOPlatforms: Readonly<Record<number, string>> = {
  1: "macOS",
  2: "iOS",
  3: "tvOS",
  4: "watchOS",
  5: "bridgeOS",
  6: "Mac Catalyst",
  7: "iOS simulator",
  8: "tvOS simulator",
  9: "watchOS simulator",
  10: "DriverKit",
  11: "visionOS",
  12: "visionOS simulator",
};

const cpuTypes: Readonly<Record<number, string>> = {
  7: "i386",
  16777223: "x86_64",
  12: "arm",
  16777228: "arm64",
};
const fileTypes: Readonly<Record<number, string>> = {
  1: "object",
  2: "executable",
  6: "dynamic library",
  7: "dynamic linker",
  8: "bundle",
  9: "library stub",
  10: "debug symbols",
  11: "kernel extension",
};

export interface MachODylib {
  /** Install name, as imports are bound to it. */
  readonly path: string;
  readonly isWeak: boolean;
  readonly currentVersion: string;
}

export interface MachOImport {
  /** As in the symbol table, with the leading underscore. */
  readonly symbol: string;
  /** Index into `dylibs`, -1 when it is looked up elsewhere (flat, self, main executable). */
  readonly dylib: number;
  /** Absent is allowed: it binds to zero. */
  readonly isWeak: boolean;
}

/** One architecture. Offsets count from the start of the whole file. */
export interface MachOSlice {
  readonly architecture: string;
  readonly fileType: string;
  readonly offset: number;
  readonly size: number;
  readonly uuid: string | null;
  /** From LC_BUILD_VERSION or LC_VERSION_MIN_*; versions as "24.4". */
  readonly build: { readonly platform: string; readonly minimumOS: string; readonly sdk: string } | null;
  readonly installName: string | null;
  readonly dylibs: readonly MachODylib[];
  readonly imports: readonly MachOImport[];
  /** Where LC_CODE_SIGNATURE points, within the file. */
  readonly signature: { readonly offset: number; readonly size: number } | null;
  /** Sections of interest: file ranges by "segment,section". */
  readonly sections: readonly { readonly name: string; readonly offset: number; readonly size: number }[];
}

export function looksLikeMachO(bytes: Uint8Array): boolean {
  if (bytes.length < 8) return false;
  const big = beU32(bytes, 0);
  // A Java class file begins like a fat file; it has a version of 45 and more where slices are counted.
  if (big === fatMagic || big === fatMagic64) return beU32(bytes, 4) <= sliceMaximum;
  const little = leU32(bytes, 0);
  return little === magic64 || little === magic32;
}

/** Every slice of a thin or fat file. Throws DecodeError; what lies outside the file is refused at its place. */
export function decodeMachO(bytes: Uint8Array): MachOSlice[] {
  if (bytes.length < 8) throw new DecodeError("Mach-O", bytes.length, "it is cut off");
  const magic = beU32(bytes, 0);
  if (magic !== fatMagic && magic !== fatMagic64) return [decodeSlice(bytes, 0, bytes.length)];
  const count = beU32(bytes, 4);
  if (count > sliceMaximum) throw new DecodeError("Mach-O", 4, `${count} slices`);
  const entryBytes = magic === fatMagic64 ? 32 : 20;
  return Array.from({ length: count }, (_, index) => {
    const at = 8 + index * entryBytes;
    if (at + entryBytes > bytes.length)
      throw new DecodeError("Mach-O", bytes.length, "the list of slices is cut off");
    const [offset, size] =
      magic === fatMagic64
        ? [beU64(bytes, at + 8, "slice offset"), beU64(bytes, at + 16, "slice size")]
        : [beU32(bytes, at + 8), beU32(bytes, at + 12)];
    if (offset + size > bytes.length)
      throw new DecodeError("Mach-O", at + 8, `slice ${index} ends behind the file`);
    return decodeSlice(bytes, offset, size);
  });
}

interface Draft {
  uuid: string | null;
  build: MachOSlice["build"];
  installName: string | null;
  dylibs: MachODylib[];
  signature: MachOSlice["signature"];
  sections: { name: string; offset: number; size: number }[];
  symbols: { at: number; count: number; strings: number; stringBytes: number } | null;
  fixups: { at: number; size: number } | null;
}

function decodeSlice(bytes: Uint8Array, offset: number, size: number): MachOSlice {
  const end = offset + size;
  const fail = (at: number, problem: string): never => {
    throw new DecodeError("Mach-O", at, problem);
  };
  if (size < 28) fail(offset, "a slice shorter than its header");
  const magic = leU32(bytes, offset);
  if (magic !== magic64 && magic !== magic32) fail(offset, "no Mach-O magic (big-endian files are not read)");
  const is64 = magic === magic64;
  const cpu = leU32(bytes, offset + 4);
  const subtype = leU32(bytes, offset + 8) & 0xffffff;
  const fileType = leU32(bytes, offset + 12);
  const commands = leU32(bytes, offset + 16);
  const commandBytes = leU32(bytes, offset + 20);
  const start = offset + (is64 ? 32 : 28);
  if (commands > commandMaximum) fail(offset + 16, `${commands} load commands`);
  if (start + commandBytes > end) fail(offset + 20, "load commands end behind the slice");
  const draft: Draft = {
    uuid: null,
    build: null,
    installName: null,
    dylibs: [],
    signature: null,
    sections: [],
    symbols: null,
    fixups: null,
  };
  let at = start;
  for (let index = 0; index < commands; index++) {
    if (at + 8 > start + commandBytes) fail(at, `load command ${index} is cut off`);
    const length = leU32(bytes, at + 4);
    if (length < 8 || at + length > start + commandBytes)
      fail(at + 4, `load command ${index} has length ${length}`);
    readCommand(bytes, at, length, offset, end, draft);
    at += length;
  }
  const imports = undefinedSymbols(bytes, draft, is64);
  if (draft.fixups !== null) {
    // The symbol table has them too, unless it was stripped; names that are looked up everywhere (weak definitions, C++'s
    // operators) are no import of one library.
    const known = new Set(imports.map(({ symbol }) => symbol));
    const bound = chainedImports(bytes, draft.fixups.at, draft.fixups.size, draft.dylibs.length);
    imports.push(...bound.filter(({ symbol, dylib }) => dylib >= 0 && !known.has(symbol)));
  }
  return {
    architecture:
      cpu === 0x100000c && subtype === 2 ? "arm64e" : (cpuTypes[cpu] ?? `cpu 0x${cpu.toString(16)}`),
    fileType: fileTypes[fileType] ?? `file type ${fileType}`,
    offset,
    size,
    uuid: draft.uuid,
    build: draft.build,
    installName: draft.installName,
    dylibs: draft.dylibs,
    imports,
    signature: draft.signature,
    sections: draft.sections,
  };
}

function readCommand(
  bytes: Uint8Array,
  at: number,
  length: number,
  sliceStart: number,
  sliceEnd: number,
  draft: Draft,
): void {
  const need = (count: number): void => {
    if (length < count)
      throw new DecodeError("Mach-O", at + 4, `a load command of ${length} bytes, ${count} needed`);
  };
  const inside = (from: number, count: number): void => {
    if (from < sliceStart || from + count > sliceEnd)
      throw new DecodeError("Mach-O", at, "a load command points outside its slice");
  };
  switch (leU32(bytes, at)) {
    case Command.uuid:
      need(24);
      draft.uuid = hexBytes(bytes.subarray(at + 8, at + 24)).replace(/ /g, "");
      return;
    case Command.buildVersion:
      need(24);
      draft.build = {
        platform: machOPlatforms[leU32(bytes, at + 8)] ?? `platform ${leU32(bytes, at + 8)}`,
        minimumOS: version(leU32(bytes, at + 12)),
        sdk: version(leU32(bytes, at + 16)),
      };
      return;
    case Command.versionMinMac:
    case Command.versionMinPhone:
      need(16);
      draft.build ??= {
        platform: leU32(bytes, at) === Command.versionMinMac ? "macOS" : "iOS",
        minimumOS: version(leU32(bytes, at + 8)),
        sdk: version(leU32(bytes, at + 12)),
      };
      return;
    case Command.idDylib:
    case Command.loadDylib:
    case Command.loadWeakDylib:
    case Command.reexportDylib: {
      need(24);
      const path = commandText(bytes, at, length, leU32(bytes, at + 8));
      if (leU32(bytes, at) === Command.idDylib) draft.installName = path;
      else {
        draft.dylibs.push({
          path,
          isWeak: leU32(bytes, at) === Command.loadWeakDylib,
          currentVersion: version(leU32(bytes, at + 16)),
        });
      }
      return;
    }
    case Command.codeSignature:
      need(16);
      draft.signature = { offset: sliceStart + leU32(bytes, at + 8), size: leU32(bytes, at + 12) };
      inside(draft.signature.offset, draft.signature.size);
      return;
    case Command.chainedFixups:
      need(16);
      draft.fixups = { at: sliceStart + leU32(bytes, at + 8), size: leU32(bytes, at + 12) };
      inside(draft.fixups.at, draft.fixups.size);
      return;
    case Command.symbolTable:
      need(24);
      draft.symbols = {
        at: sliceStart + leU32(bytes, at + 8),
        count: leU32(bytes, at + 12),
        strings: sliceStart + leU32(bytes, at + 16),
        stringBytes: leU32(bytes, at + 20),
      };
      inside(draft.symbols.strings, draft.symbols.stringBytes);
      return;
    case Command.segment64:
      need(72);
      for (let index = 0; index < leU32(bytes, at + 64); index++) {
        const section = at + 72 + index * 80;
        if (section + 80 > at + length) throw new DecodeError("Mach-O", at + 64, "more sections than fit");
        draft.sections.push({
          name: `${fixedText(bytes, section + 16, 16)},${fixedText(bytes, section, 16)}`,
          offset: sliceStart + leU32(bytes, section + 48),
          size: leU32(bytes, section + 40),
        });
      }
      return;
    default:
      return;
  }
}

/** nlist entries that are undefined and external, with two-level names' library ordinals. */
function undefinedSymbols(bytes: Uint8Array, draft: Draft, is64: boolean): MachOImport[] {
  const { symbols } = draft;
  if (symbols === null) return [];
  const entryBytes = is64 ? 16 : 12;
  if (symbols.count > symbolMaximum || symbols.at + symbols.count * entryBytes > bytes.length)
    throw new DecodeError("Mach-O", symbols.at, `${symbols.count} symbols`);
  const found: MachOImport[] = [];
  for (let index = 0; index < symbols.count; index++) {
    const at = symbols.at + index * entryBytes;
    const type = bytes[at + 4];
    // N_STAB, N_TYPE = N_UNDF, N_EXT; a common symbol has a value.
    if ((type & 0xe0) !== 0 || (type & 0x0e) !== 0 || (type & 1) === 0 || leU32(bytes, at + 8) !== 0)
      continue;
    const description = bytes[at + 6] | (bytes[at + 7] << 8);
    const ordinal = description >> 8;
    found.push({
      symbol: terminated(bytes, symbols.strings + leU32(bytes, at), symbols.strings + symbols.stringBytes),
      dylib: ordinal >= 1 && ordinal <= draft.dylibs.length ? ordinal - 1 : -1,
      isWeak: (description & 0x40) !== 0,
    });
  }
  return found;
}

/** dyld_chained_fixups_header, imports of formats 1 to 3. */
function chainedImports(bytes: Uint8Array, start: number, size: number, dylibCount: number): MachOImport[] {
  const end = start + size;
  if (size < 28) throw new DecodeError("Mach-O fixups", start, "the header is cut off");
  const importsAt = start + leU32(bytes, start + 8);
  const symbolsAt = start + leU32(bytes, start + 12);
  const count = leU32(bytes, start + 16);
  const format = leU32(bytes, start + 20);
  const entryBytes = ({ 1: 4, 2: 8, 3: 16 } as Record<number, number>)[format];
  if (entryBytes === undefined)
    throw new DecodeError("Mach-O fixups", start + 20, `imports of format ${format}`);
  if (count > symbolMaximum || importsAt + count * entryBytes > end || symbolsAt > end)
    throw new DecodeError("Mach-O fixups", start + 16, `${count} imports do not fit`);
  return Array.from({ length: count }, (_, index) => {
    const at = importsAt + index * entryBytes;
    const word = leU32(bytes, at);
    const isLong = format === 3;
    const ordinal = isLong ? word & 0xffff : word & 0xff;
    const nameAt = isLong ? leU32(bytes, at + 4) : word >>> 9;
    return {
      symbol: terminated(bytes, symbolsAt + nameAt, end),
      dylib: ordinal >= 1 && ordinal <= dylibCount ? ordinal - 1 : -1,
      isWeak: isLong ? ((word >>> 16) & 1) === 1 : ((word >>> 8) & 1) === 1,
    };
  });
}

/**
 * The class and method of a C++ symbol with nested names ("__ZN9IOService4InitEv": IOService::Init), of a virtual table
 * ("vtable for X") or of DriverKit's class objects; null for other symbols. Templates and operators are not read.
 */
export function readableSymbol(symbol: string): string | null {
  const body = symbol.startsWith("__Z") ? symbol.slice(3) : symbol.startsWith("_Z") ? symbol.slice(2) : null;
  if (body === null) return null;
  const table = /^T([VTSI])(.*)$/.exec(body);
  const named = { V: "vtable for ", T: "VTT for ", S: "typeinfo name for ", I: "typeinfo for " };
  const prefix = table === null ? "" : named[table[1] as keyof typeof named];
  let rest = table === null ? body : table[2];
  const isNested = rest.startsWith("N");
  if (isNested) rest = rest.slice(1).replace(/^[rVK]+/, "");
  const names: string[] = [];
  for (;;) {
    const match = /^(\d+)/.exec(rest);
    if (match === null) break;
    const length = Number(match[1]);
    const from = match[1].length;
    if (length === 0 || length > 500 || from + length > rest.length) return null;
    names.push(rest.slice(from, from + length));
    rest = rest.slice(from + length);
    if (!isNested) break;
  }
  if (names.length === 0) return null;
  const special = /^(C[1-3]|D[0-2])E/.exec(rest);
  if (special !== null)
    names.push(special[1][0] === "C" ? names[names.length - 1] : `~${names[names.length - 1]}`);
  return prefix + names.join("::");
}

function version(word: number): string {
  const [major, minor, patch] = [word >>> 16, (word >> 8) & 0xff, word & 0xff];
  return patch === 0 ? `${major}.${minor}` : `${major}.${minor}.${patch}`;
}

function commandText(bytes: Uint8Array, at: number, length: number, from: number): string {
  if (from < 8 || from >= length) throw new DecodeError("Mach-O", at + 8, "a name outside its load command");
  return terminated(bytes, at + from, at + length);
}

function fixedText(bytes: Uint8Array, at: number, length: number): string {
  return terminated(bytes, at, at + length);
}

const longestName = 4096;

function terminated(bytes: Uint8Array, at: number, end: number): string {
  let stop = at;
  const limit = Math.min(end, bytes.length, at + longestName);
  while (stop < limit && bytes[stop] !== 0) stop++;
  return stop <= at ? "" : decodeUtf8(bytes.subarray(at, stop));
}

function leU32(bytes: Uint8Array, at: number): number {
  return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
}

function beU32(bytes: Uint8Array, at: number): number {
  return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
}

function beU64(bytes: Uint8Array, at: number, what: string): number {
  const value = beU32(bytes, at) * 4294967296 + beU32(bytes, at + 4);
  if (!Number.isSafeInteger(value)) throw new DecodeError("Mach-O", at, `${what} above 53 bits`);
  return value;
}
