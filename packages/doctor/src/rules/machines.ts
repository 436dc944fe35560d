// Which machines the evidence comes from: Macs, iPads with and without an M chip, iPhones.

import type { Evidence } from "../evidence/evidence.ts";
import { watch } from "../evidence/watch.ts";
import type { Place } from "../facts/evidence-source.ts";
import { spoken } from "./questions.ts";

/** "iPad13,4", "iPhone15,2", ... wherever it stands; rules that ask for machines watch for it. */
export const modelLine = watch(["iPhone", "iPad1"], /\b(iPhone|iPad)(\d{1,2}),(\d{1,2})\b/);
/** The word alone, or the name of its system. */
export const phoneWord = watch(["iPhone"], /\biPhones?\b/);

export interface Machine {
  readonly kind: "iPhone" | "iPad";
  /** "iPad13,4" */
  readonly model: string;
  readonly place: Place;
}

/** Models of mobile machines that crash reports, panics and texts name. */
export function mobileMachines(evidence: Evidence): Machine[] {
  const found: Machine[] = [];
  const add = (text: string, place: Place) => {
    const match = /\b(iPhone|iPad)\d{1,2},\d{1,2}\b/.exec(text);
    if (match !== null) found.push({ kind: match[1] as Machine["kind"], model: match[0], place });
  };
  for (const { value, place } of evidence.facts("crash")) add(value.product, place);
  for (const { value, place } of evidence.facts("panic")) add(value.product, place);
  for (const hit of spoken(evidence, modelLine)) add(hit.match[0], hit.place);
  return found;
}

/** What says "iPhone": a model, the name of its system in a report, or the word in a text. */
export function phonePlaces(evidence: Evidence): Place[] {
  const reports = evidence
    .facts("crash")
    .filter(({ value }) => /^(?:iPhone OS|iOS)\b/.test(value.osVersion) && !value.product.startsWith("iPad"))
    .map(({ place }) => place);
  return [
    ...mobileMachines(evidence).flatMap(({ kind, place }) => (kind === "iPhone" ? [place] : [])),
    ...reports,
    ...spoken(evidence, phoneWord).map((hit) => hit.place),
  ];
}

/** iPads with an M chip by model number, as of October 2025. Families are ranges of the second number. */
const padsWithM: readonly (readonly [number, number, number])[] = [
  [13, 4, 11],
  [13, 16, 17],
  [14, 3, 6],
  [14, 8, 11],
  [15, 3, 6],
  [16, 3, 6],
  [16, 8, 11],
  [17, 1, 4],
];
/** The last family of the table; about later ones nothing is known. */
const lastFamily = 17;

/** Whether an iPad has an M chip; null for a model that is newer than the table. */
export function padHasM(model: string): boolean | null {
  const match = /^iPad(\d+),(\d+)$/.exec(model);
  if (match === null) return null;
  const family = Number(match[1]);
  const number = Number(match[2]);
  if (padsWithM.some(([of, from, to]) => of === family && number >= from && number <= to)) return true;
  return family >= lastFamily ? null : false;
}
