// Text with its secrets replaced, consistently: the same secret has the same pseudonym in every file of a run.

import { type SecretShape, secretShapes } from "./secret-shapes.ts";

export interface LedgerEntry {
  readonly kind: SecretShape;
  readonly secret: string;
  readonly pseudonym: string;
}

/** Pseudonyms have the form of what they stand for, so that what is redacted reads and diagnoses the same. */
const forms: Readonly<Record<SecretShape, (number: number) => string>> = {
  team: (number) => `TEAMX${String(number).padStart(5, "0")}`,
  mail: (number) => `person${number}@redacted.example`,
  name: (number) => `Name ${number}`,
  user: (number) => `user${number}`,
  host: (number) => `host${number}`,
  serial: (number) => `SERIAL${String(number).padStart(4, "0")}`,
  device: (number) => `00000000-${String(number).padStart(16, "0")}`,
  mac: (number) => `02:00:00:00:${hexByte(number >> 8)}:${hexByte(number)}`,
  ipv4: (number) => `198.51.${100 + (number >> 8)}.${number & 0xff}`,
  bytes: (number) => number.toString(16).padStart(24, "0"),
  ipv6: (number) => `2001:db8::${number.toString(16)}`,
  path: (number) => `/redacted/path${number}`,
  volume: (number) => `volume${number}`,
};

const hexByte = (value: number): string => (value & 0xff).toString(16).padStart(2, "0");

/** What was replaced by what. It is the key to everything that was taken out: never put it beside the output. */
export class RedactionLedger {
  readonly #entries = new Map<string, LedgerEntry>();
  readonly #counts = new Map<SecretShape, number>();
  readonly #pseudonyms = new Set<string>();

  get entries(): readonly LedgerEntry[] {
    return [...this.#entries.values()];
  }

  /** The same for the same secret. What is a pseudonym already stays. */
  pseudonymOf(kind: SecretShape, secret: string): string {
    // A device id or an address is the same in either letter case.
    const key = `${kind} ${/^(?:device|mac|ipv6|mail|host)$/.test(kind) ? secret.toLowerCase() : secret}`;
    const before = this.#entries.get(key);
    if (before !== undefined) return before.pseudonym;
    if (this.#pseudonyms.has(secret)) return secret;
    const number = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, number);
    const pseudonym = forms[kind](number);
    this.#entries.set(key, { kind, secret, pseudonym });
    this.#pseudonyms.add(pseudonym);
    return pseudonym;
  }
}

/** Names that are this short are taken out where they stand as names only: elsewhere they are words. */
const shortest: Readonly<Partial<Record<SecretShape, number>>> = { user: 5, host: 5, name: 5, volume: 6 };

/** Every secret that a shape finds, and every other place where the same text stands. */
export function redactText(text: string, ledger: RedactionLedger): string {
  const known = new Map<string, { kind: SecretShape; pseudonym: string }>();
  let out = text;
  for (const { kind, pattern, isSecret } of secretShapes) {
    out = out.replace(pattern, (whole: string, ...groups: unknown[]) => {
      const secret = typeof groups[0] === "string" ? groups[0] : whole;
      if (isSecret !== undefined && !isSecret(secret)) return whole;
      if (isPseudonym(secret)) return whole;
      const pseudonym = ledger.pseudonymOf(kind, secret);
      if (secret.length >= (shortest[kind] ?? 4)) known.set(secret, { kind, pseudonym });
      const at = whole.lastIndexOf(secret);
      return whole.slice(0, at) + pseudonym + whole.slice(at + secret.length);
    });
  }
  // Secrets of files that were read before count here too.
  for (const { kind, secret, pseudonym } of ledger.entries)
    if (secret.length >= (shortest[kind] ?? 4)) known.set(secret, { kind, pseudonym });
  return withoutWords(out, known);
}

const prefixLength = 3;

/** Replaces each known text where it stands as a word of its own; one pass, however many there are. */
function withoutWords(text: string, known: ReadonlyMap<string, { readonly pseudonym: string }>): string {
  /** First letters -> how long what begins so may be, the longest first. */
  const lengths = new Map<string, number[]>();
  for (const secret of known.keys()) {
    const prefix = secret.slice(0, prefixLength);
    const list = lengths.get(prefix) ?? [];
    if (!list.includes(secret.length)) list.push(secret.length);
    lengths.set(prefix, list);
  }
  if (lengths.size === 0) return text;
  for (const list of lengths.values()) list.sort((left, right) => right - left);
  let out = "";
  let kept = 0;
  for (let at = 0; at < text.length; at++) {
    if (at > 0 && isWordLetter(text.charCodeAt(at - 1))) continue;
    for (const length of lengths.get(text.slice(at, at + prefixLength)) ?? []) {
      if (isWordLetter(text.charCodeAt(at + length))) continue;
      const word = known.get(text.slice(at, at + length));
      if (word === undefined) continue;
      out += text.slice(kept, at) + word.pseudonym;
      kept = at + length;
      at = kept - 1;
      break;
    }
  }
  return out + text.slice(kept);
}

/** ASCII letters and digits; NaN beyond the end is none. */
function isWordLetter(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
}

function isPseudonym(text: string): boolean {
  return /^(?:TEAMX\d{5}|SERIAL\d{4}|(?:user|host|volume)\d+|Name \d+|person\d+@redacted\.example|00000000-\d{16}|198\.51\.1\d\d\.\d{1,3}|0{12}[0-9a-f]{12}|02:00:00:00:[0-9a-f]{2}:[0-9a-f]{2}|2001:db8::[0-9a-f]+|\/redacted\/path\d+)$/.test(
    text,
  );
}
