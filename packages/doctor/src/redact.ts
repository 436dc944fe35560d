// Takes what names a person, a team or a machine out of a diagnosis.

import type { Diagnosis } from "./diagnosis.ts";
import type { Secret } from "./evidence/evidence.ts";

/** Shapes that are secret wherever they stand: home folders, device ids. */
const shapes: readonly [RegExp, string][] = [
  [/(\/Users\/|\/home\/)[^/\s"':]+/g, "$1USER"],
  [/\b[0-9A-F]{8}-[0-9A-F]{16}\b/g, "DEVICE"],
  [/\b((?:client|driver) team=)[A-Z0-9]{10}\b/g, "$1TEAM"],
  [/\bteam [A-Z0-9]{10}\b/g, "team TEAM"],
  [/\b[A-Z0-9]{10}(?=\.[a-z][\w-]*\.)/g, "TEAM"],
  [/("[^"]*[Ss]erial[^"]*" = )"[^"]*"/g, '$1"SERIAL"'],
];

/** A copy of the same shape. Secrets are what readers recognised; longer ones go first, so that none is left in part. */
export function redactDiagnosis(diagnosis: Diagnosis, secrets: readonly Secret[]): Diagnosis {
  const known = secrets
    .filter(({ text }) => text.length >= 4)
    .sort((left, right) => right.text.length - left.text.length);
  const clean = (text: string): string => {
    let out = text;
    for (const { kind, text: secret } of known) out = out.replaceAll(secret, kind.toUpperCase());
    for (const [shape, word] of shapes) out = out.replace(shape, word);
    return out;
  };
  const visit = (value: unknown): unknown => {
    if (typeof value === "string") return clean(value);
    if (Array.isArray(value)) return value.map(visit);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, visit(item)]));
  };
  return visit(diagnosis) as Diagnosis;
}
