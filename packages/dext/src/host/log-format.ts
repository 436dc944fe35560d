// A line of os_log or IOLog: the format read by the host, the arguments out of the dext's memory.

import type { DextMemory } from "./dext-memory.ts";

const specifier =
  /%(?:\{([^}]*)\})?([-+ #0]*)(\*|\d+)?(?:\.(\*|\d+))?(hh|h|ll|l|q|z|t|j|L)?([diouxXeEfFgGaAcCsSpm@%])/g;

/**
 * `arguments` is the address of a va_list: four bytes each, eight-byte values aligned to eight. A dynamic text or object without
 * {public} reads `<private>`, as the unified log shows it to others.
 */
export function formatLog(memory: DextMemory, format: string, argumentsAt: number, isPlain = false): string {
  let at = argumentsAt;
  const word = (): number => {
    at += 4;
    return memory.u32(at - 4);
  };
  const long = (): bigint => {
    at = (at + 7) & ~7;
    at += 8;
    return memory.u64(at - 8);
  };
  const double = (): number => {
    at = (at + 7) & ~7;
    at += 8;
    return memory.f64(at - 8);
  };
  return format.replace(
    specifier,
    (
      _all,
      privacy: string | undefined,
      flags: string,
      widthText: string | undefined,
      precisionText: string | undefined,
      length: string | undefined,
      kind: string,
    ) => {
      if (kind === "%") return "%";
      const width = widthText === "*" ? word() | 0 : Number(widthText ?? 0);
      const precision =
        precisionText === undefined ? null : precisionText === "*" ? word() | 0 : Number(precisionText);
      const isPrivate = /private|sensitive/.test(privacy ?? "");
      const isPublic = isPlain || /public/.test(privacy ?? "");
      switch (kind) {
        case "d":
        case "i":
        case "u":
        case "o":
        case "x":
        case "X": {
          const isLong = length === "ll" || length === "q" || length === "j";
          const text = integerText(isLong ? long() : BigInt(word()), kind, length, flags, precision);
          return isPrivate ? "<private>" : padded(text, width, flags, precision === null);
        }
        case "c":
          return padded(String.fromCharCode(word() & 0xff), width, flags, false);
        case "p":
          return padded(`0x${word().toString(16)}`, width, flags, false);
        case "s": {
          const address = word();
          if (!isPublic && privacy !== undefined && isPrivate) return "<private>";
          if (address === 0) return "(null)";
          if (!isPublic) return "<private>";
          const text = memory.text(address, precision ?? undefined);
          return padded(text, width, flags, false);
        }
        case "m":
          return "Undefined error: 0";
        case "@":
        case "S":
        case "C":
          word();
          return "<private>";
        default:
          return padded(double().toFixed(precision ?? 6), width, flags, true);
      }
    },
  );
}

function integerText(
  raw: bigint,
  kind: string,
  length: string | undefined,
  flags: string,
  precision: number | null,
): string {
  const bits =
    length === "hh" ? 8 : length === "h" ? 16 : length === "ll" || length === "q" || length === "j" ? 64 : 32;
  const isSigned = kind === "d" || kind === "i";
  const value = isSigned ? BigInt.asIntN(bits, raw) : BigInt.asUintN(bits, raw);
  const radix = kind === "o" ? 8 : kind === "x" || kind === "X" ? 16 : 10;
  const magnitude = (value < 0n ? -value : value).toString(radix);
  let digits = kind === "X" ? magnitude.toUpperCase() : magnitude;
  if (precision !== null) digits = digits.padStart(precision, "0");
  const mark = flags.includes("#") && radix === 16 && value !== 0n ? (kind === "X" ? "0X" : "0x") : "";
  const sign = value < 0n ? "-" : flags.includes("+") && isSigned ? "+" : "";
  return `${sign}${mark}${digits}`;
}

/** Zeros stand behind the sign or the mark. */
function padded(text: string, width: number, flags: string, takesZeros: boolean): string {
  const most = Math.min(Math.abs(width), 1024);
  if (flags.includes("-") || width < 0) return text.padEnd(most);
  if (!takesZeros || !flags.includes("0")) return text.padStart(most);
  const head = /^[+-]?(?:0[xX])?/.exec(text)?.[0] ?? "";
  return head + text.slice(head.length).padStart(most - head.length, "0");
}
