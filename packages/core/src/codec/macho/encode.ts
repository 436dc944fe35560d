// Writes a small Mach-O: enough for what readers look at (build version, libraries, imports, signature), no code.

import { encodeUtf8 } from "../../base/text.ts";
import { codeSignatureBytes, encodeCodeSignature, type SignaturePlan } from "../code-signature/encode.ts";

export interface MachOPlan {
  /** LC_BUILD_VERSION: platform number, versions as "24.4". */
  readonly platform: number;
  readonly minimumOS: string;
  readonly sdk: string;
  readonly dylibs: readonly string[];
  /** Symbol and the index of its library in `dylibs`. */
  readonly imports: readonly { readonly symbol: string; readonly dylib: number; readonly isWeak?: boolean }[];
  readonly signature: Omit<SignaturePlan, "code"> | null;
}

/**
 * The symbol of "Class::Method" (a member without arguments), "vtable for Class" or a C function, as the symbol table has
 * it. `readableSymbol` gives the first two back.
 */
export function symbolName(readable: string): string {
  const source = (name: string): string => `${name.length}${name}`;
  if (readable.startsWith("vtable for ")) return `__ZTV${source(readable.slice(11))}`;
  const names = readable.split("::");
  return names.length === 1 ? `_${readable}` : `__ZN${names.map(source).join("")}Ev`;
}

const cpuArm64 = 0x100000c;
const executable = 2;
/** No undefined symbols left to the static linker, for dyld, two-level names, position independent. */
const headerFlags = 0x1 | 0x4 | 0x80 | 0x200000;
const headerBytes = 32;
const symbolBytes = 16;

/** A thin arm64 executable. */
export function encodeMachO(plan: MachOPlan): Uint8Array {
  const commands: Uint8Array[] = [
    words([0x32, 24, plan.platform, packVersion(plan.minimumOS), packVersion(plan.sdk), 0]),
    ...plan.dylibs.map(dylibCommand),
  ];
  const hasSignature = plan.signature !== null;
  const commandBytes =
    commands.reduce((sum, command) => sum + command.length, 0) + 24 + (hasSignature ? 16 : 0);
  const symbolsAt = headerBytes + commandBytes;
  const stringsAt = symbolsAt + plan.imports.length * symbolBytes;
  const names: number[] = [];
  const strings: Uint8Array[] = [Uint8Array.of(0)];
  let stringBytes = 1;
  for (const { symbol } of plan.imports) {
    const encoded = encodeUtf8(`${symbol}\0`);
    names.push(stringBytes);
    strings.push(encoded);
    stringBytes += encoded.length;
  }
  commands.push(words([0x02, 24, symbolsAt, plan.imports.length, stringsAt, stringBytes]));
  const codeEnd = Math.ceil((stringsAt + stringBytes) / 16) * 16;
  if (plan.signature !== null) {
    commands.push(words([0x1d, 16, codeEnd, codeSignatureBytes(plan.signature, codeEnd)]));
  }
  const code = new Uint8Array(codeEnd);
  code.set(words([0xfeedfacf, cpuArm64, 0, executable, commands.length, commandBytes, headerFlags, 0]));
  let at = headerBytes;
  for (const command of commands) {
    code.set(command, at);
    at += command.length;
  }
  plan.imports.forEach(({ dylib, isWeak }, index) => {
    const view = new DataView(code.buffer, symbolsAt + index * symbolBytes, symbolBytes);
    view.setUint32(0, names[index], true);
    view.setUint8(4, 1);
    view.setUint16(6, ((dylib + 1) << 8) | (isWeak === true ? 0x40 : 0), true);
  });
  at = stringsAt;
  for (const text of strings) {
    code.set(text, at);
    at += text.length;
  }
  if (plan.signature === null) return code;
  const signature = encodeCodeSignature({ ...plan.signature, code });
  const file = new Uint8Array(codeEnd + codeSignatureBytes(plan.signature, codeEnd));
  file.set(code);
  file.set(signature, codeEnd);
  return file;
}

function dylibCommand(path: string): Uint8Array {
  const name = encodeUtf8(`${path}\0`);
  const length = Math.ceil((24 + name.length) / 8) * 8;
  const command = new Uint8Array(length);
  command.set(words([0x0c, length, 24, 0, 0x10000, 0x10000]));
  command.set(name, 24);
  return command;
}

function packVersion(text: string): number {
  const [major, minor = 0, patch = 0] = text.split(".").map(Number);
  return ((major << 16) | (minor << 8) | patch) >>> 0;
}

function words(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  values.forEach((value, index) => {
    view.setUint32(index * 4, value, true);
  });
  return bytes;
}
