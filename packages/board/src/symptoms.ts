// Symptoms that a machine can compare: return codes, error numbers, panic places, USB ids, rules; found in any text.

import { IOReturns } from "@drydock/core/base/io-return";
import type { Symptom } from "./records.ts";

/** Text beyond this is not searched for symptoms; the words of it are indexed all the same. */
const searchedCharacters = 200_000;
const mostSymptoms = 64;

/** IOReturns have this in their high byte; below it lie Mach's small numbers, which mean nothing by themselves. */
const isReturnCode = (value: number): boolean => value >>> 24 >= 0xe0 && value >>> 24 <= 0xef;

const hexForm = /(?<![0-9A-Za-z_])0x([0-9a-fA-F]{8})(?![0-9A-Za-z_])/g;
const bareHexForm = /(?<![0-9A-Za-z_])([eE]0[0-9a-fA-F]{6})(?![0-9A-Za-z_])/g;
const negativeForm = /(?<![0-9A-Za-z_.])[-−](\d{5,10})(?![0-9A-Za-z_.]*\d)/g;
const nameForm = /(?<![0-9A-Za-z_])(kIO[A-Z]\w{3,40}|kUSBHost[A-Z]\w{3,40})(?![0-9A-Za-z_])/g;
const siteForm = /@?\b([A-Za-z_][\w+-]{0,60}\.(?:c|cc|cpp|cxx|m|mm|h|hpp|iig|swift))\s?:\s?(\d{1,6})\b/g;
const ruleForm = /\b((?:DR\d{2}-\d{1,2}|(?:FX|NT|IO)-[A-Z0-9-]{2,20}))\b/g;
const idPairForm = /(?<![0-9A-Za-z:])(?:0x)?([0-9a-fA-F]{4})\s?:\s?(?:0x)?([0-9a-fA-F]{4})(?![0-9A-Za-z:])/g;

/** Every symptom in `text`, each once, in the order of first appearance; at most 64. */
export function symptomsIn(text: string): Symptom[] {
  const piece = text.slice(0, searchedCharacters);
  const found = new Map<string, Symptom & { readonly at: number }>();
  const add = (at: number, kind: Symptom["kind"], value: string) => {
    const key = `${kind} ${value}`;
    const known = found.get(key);
    if (known === undefined || known.at > at) found.set(key, { at, kind, value });
  };
  const code = (at: number, value: number) => {
    if (isReturnCode(value)) add(at, "io_return", value.toString(16).padStart(8, "0"));
  };
  for (const match of piece.matchAll(hexForm)) code(match.index, Number.parseInt(match[1], 16));
  for (const match of piece.matchAll(bareHexForm)) code(match.index, Number.parseInt(match[1], 16));
  for (const match of piece.matchAll(nameForm)) {
    const value = Object.hasOwn(IOReturns, match[1]) ? IOReturns[match[1] as keyof typeof IOReturns] : null;
    if (value !== null) code(match.index, value);
  }
  for (const match of piece.matchAll(negativeForm)) {
    const number = -Number(match[1]);
    if (number < -0x8000_0000) continue;
    if (isReturnCode(number >>> 0)) code(match.index, number >>> 0);
    else if (number > -1_000_000) add(match.index, "error_number", String(number));
  }
  for (const match of piece.matchAll(siteForm)) add(match.index, "panic_site", `${match[1]}:${match[2]}`);
  for (const match of piece.matchAll(ruleForm)) add(match.index, "rule", match[1]);
  for (const match of piece.matchAll(idPairForm)) {
    // "12:30" is a time and "0000:0000" is nobody's; four digits each side are an id only in hexadecimal company.
    const pair = `${match[1]}:${match[2]}`.toLowerCase();
    if (/[a-f]/.test(pair) || /^0\d{3}:/.test(pair))
      if (pair !== "0000:0000") add(match.index, "usb_id", pair);
  }
  return [...found.values()]
    .sort((left, right) => left.at - right.at)
    .slice(0, mostSymptoms)
    .map(({ kind, value }) => ({ kind, value }));
}

/** Every form in which people write a return code: what a page about it lists. */
export function returnCodeForms(value: string): { hex: string; decimal: string; names: string[] } {
  const code = Number.parseInt(value, 16);
  return {
    hex: `0x${value}`,
    decimal: String(code | 0),
    names: Object.entries(IOReturns)
      .filter(([, known]) => known === code)
      .map(([name]) => name),
  };
}

/** One line for a symptom. */
export function symptomText({ kind, value }: Symptom): string {
  if (kind === "io_return") {
    const { hex, names } = returnCodeForms(value);
    return names.length === 0 ? hex : `${hex} ${names[0]}`;
  }
  return value;
}
