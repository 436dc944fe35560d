// Codes as texts give them: names, hex, decimal signed and unsigned; what contradicts, what is mistyped.

import { formatReturn, type IOReturnName, IOReturns, returnName } from "@drydock/core/base/io-return";
import { meaningOf } from "./return-meanings.ts";

export interface CodeInText {
  readonly name: string;
  /** As the text has it. */
  readonly text: string;
  readonly form: "decimal" | "hex" | "name";
  readonly at: number;
}

const byNumber = new Map<number, string>(
  Object.entries(IOReturns).map(([name, code]) => [code >>> 0, returnName(code >>> 0) || name]),
);

const decimals = /(?<![\w.])(-(?:5368\d{5}|308|30[0-9])|375\d{7}|379\d{7}|429\d{7})(?![\w.]*\d)/g;
const hexes =
  /(?<![\w])(?:0x)?(e00002[b-f][0-9a-f]|e000500[0-2]|e00040[0-6][0-9a-f]|e0000001|dc00[04]0[0-9a-f]{2}|fffffe(?:cc|d0|d3))\b/gi;
const names =
  /\b(k(?:IOReturn|USBHost(?:Return|Message)|IOUSB|OSReturn|OSMetaClass|SCSITaskStatus_|SCSIServiceResponse_|IOPM)\w{1,60}|(?:KERN|MIG)_[A-Z_]{4,40})\b/g;

/** Every known code of a line, in the order of the text. */
export function codesIn(line: string): CodeInText[] {
  const found: CodeInText[] = [];
  for (const match of line.matchAll(decimals)) {
    const name = byNumber.get(Number(match[1]) >>> 0);
    if (name !== undefined) found.push({ name, text: match[1], form: "decimal", at: match.index });
  }
  for (const match of line.matchAll(hexes)) {
    const name = byNumber.get(Number.parseInt(match[1], 16) >>> 0);
    if (name !== undefined) found.push({ name, text: match[0], form: "hex", at: match.index });
  }
  for (const match of line.matchAll(names))
    if (meaningOf(match[1]) !== null)
      found.push({ name: match[1], text: match[1], form: "name", at: match.index });
  return found.sort((left, right) => left.at - right.at);
}

export interface ToldCode {
  readonly name: string;
  /** What else the line says beside it and does not fit. */
  readonly contradictions: readonly string[];
}

/** A number, its hex and its name stand side by side: the number that a program printed counts, then the hex. */
export function toldCodes(line: string): ToldCode[] {
  const all = codesIn(line);
  const groups: CodeInText[][] = [];
  for (const code of all) {
    const group = groups.at(-1);
    const before = group?.at(-1);
    const between = before === undefined ? "" : line.slice(before.at + before.text.length, code.at);
    if (
      group !== undefined &&
      before !== undefined &&
      /^[\s()[\]:=,/|"'-]{0,6}(?:or|aka|i\.e\.|which is|that is|meaning|in hex|equals)?[\s(:=]{0,3}$/i.test(
        between,
      ) &&
      !group.some(({ form }) => form === code.form)
    )
      group.push(code);
    else groups.push([code]);
  }
  return groups.map((group) => {
    const first =
      group.find(({ form }) => form === "decimal") ?? group.find(({ form }) => form === "hex") ?? group[0];
    return {
      name: first.name,
      contradictions: group.filter(({ name }) => !isSame(name, first.name)).map(({ text }) => text),
    };
  });
}

/** Several names have one number. */
function isSame(left: string, right: string): boolean {
  if (left === right) return true;
  const [one, other] = [left, right].map((name) => (IOReturns as Readonly<Record<string, number>>)[name]);
  return one !== undefined && one === other;
}

/** Codes that a program gives its user; those of Mach and of messages between processes are too short to be guessed. */
const guessable = [...byNumber].filter(([code]) => code >>> 12 === 0xe0000 || code >>> 12 === 0xe0005);

/** The known code that a number with one digit wrong, missing or too many was meant for; null for none or several. */
export function meantCode(text: string): { readonly text: string; readonly name: string } | null {
  const candidates = guessable.flatMap(([code, name]) => {
    const forms = [String(code | 0), String(code), formatReturn(code), formatReturn(code).slice(2)];
    return forms.filter((form) => isOneApart(form, text.toLowerCase())).map((form) => ({ text: form, name }));
  });
  return candidates.length === 1 ? candidates[0] : null;
}

function isOneApart(right: string, wrong: string): boolean {
  if (right === wrong || Math.abs(right.length - wrong.length) > 1) return false;
  const [long, short] = right.length >= wrong.length ? [right, wrong] : [wrong, right];
  let at = 0;
  while (at < short.length && long[at] === short[at]) at++;
  if (long.length !== short.length) return long.slice(at + 1) === short.slice(at);
  const rest = long.slice(at + 1) === short.slice(at + 1);
  const swapped =
    long[at] === short[at + 1] && long[at + 1] === short[at] && long.slice(at + 2) === short.slice(at + 2);
  return rest || swapped;
}

export function nameWithNumber(name: string): string {
  const code = (IOReturns as Readonly<Record<string, number>>)[name];
  return code === undefined ? name : `${name} (${formatReturn(code as (typeof IOReturns)[IOReturnName])})`;
}
