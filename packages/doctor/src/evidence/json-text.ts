// JSON objects inside other text: finds where one ends, and saves what is there when it was cut.

/** Deepest nesting that is followed. */
const deepest = 200;

/** End (exclusive) of the object or array that begins at `start`; -1 when the text ends before it does. */
export function endOfJson(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      at = endOfString(text, at);
      if (at < 0) return -1;
    } else if (code === 0x7b || code === 0x5b) {
      if (++depth > deepest) return -1;
    } else if (code === 0x7d || code === 0x5d) {
      if (--depth === 0) return at + 1;
    }
  }
  return -1;
}

/** Position of the closing quote of the string that opens at `at`; -1 when there is none. */
function endOfString(text: string, at: number): number {
  for (let index = at + 1; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 0x5c) index++;
    else if (code === 0x22) return index;
  }
  return -1;
}

/** The object that begins at `start`, or null when it is no JSON. */
export function parseJsonAt(text: string, start: number): { value: unknown; end: number } | null {
  const end = endOfJson(text, start);
  if (end < 0) return null;
  try {
    return { value: JSON.parse(text.slice(start, end)), end };
  } catch {
    return null;
  }
}

/** The string value of `"key" : "..."` at or after `from`, unescaped, cut where the text ends. Null: no such key. */
export function stringValueOf(
  text: string,
  key: string,
  from = 0,
): { value: string; at: number; end: number } | null {
  const found = new RegExp(`"${key}"\\s*:\\s*"`, "g");
  found.lastIndex = from;
  const match = found.exec(text);
  if (match === null) return null;
  const open = match.index + match[0].length - 1;
  const close = endOfString(text, open);
  const raw = text.slice(open + 1, close < 0 ? text.length : close);
  return { value: unescapeJson(raw), at: match.index, end: close < 0 ? text.length : close + 1 };
}

/** Lenient: what JSON does not allow is taken as it stands. */
export function unescapeJson(raw: string): string {
  return raw.replace(/\\(?:u([0-9a-fA-F]{4})|(.))/g, (_all, code: string | undefined, letter: string) => {
    if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
    return { n: "\n", t: "\t", r: "\r", b: "\b", f: "\f" }[letter] ?? letter;
  });
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The text at a key of a record; "" when it is none. */
export function textOf(record: Readonly<Record<string, unknown>>, key: string): string {
  const value = record[key];
  return typeof value === "string" ? value : "";
}

/** The number at a key, also when it is written as text; null when there is none. */
export function numberOf(record: Readonly<Record<string, unknown>>, key: string): number | null {
  const value = record[key];
  if (typeof value === "number") return value;
  if (typeof value === "string" && value !== "" && Number.isFinite(Number(value))) return Number(value);
  return null;
}
