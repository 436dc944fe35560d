// A fault plan as a file: a rig, a seed, and what is struck. People edit and share it; it is read strictly.

import { fields, oneOf, whole } from "../base/strict-json.ts";
import {
  type AccessFault,
  type AccessFaultKind,
  type AccessKind,
  accessFaultKinds,
  accessKinds,
} from "../faults/access-faults.ts";

export const faultPlanFormat = "drydock fault plan";
const version = 1;
const faultsMaximum = 1000;
const latestNs = 3600e9;

export interface FaultPlan {
  readonly rig: string;
  readonly seed: number;
  readonly faults: readonly AccessFault[];
}

/** A line for each fault as people type it: `late:interrupt:3`, `wrong:register-read:12`. */
export function parseAccessFault(text: string): AccessFault {
  const [fault, access, number, more = "", ...rest] = text.split(":");
  const kind = accessFaultKinds.find((known) => known === fault);
  const of = accessKinds.find((known) => known === access);
  const count = Number(number);
  const bit = kind === "wrong" ? /^bit(\d{1,9})$/.exec(more) : null;
  const late = kind === "late" ? /^(\d{1,9}(?:\.\d{1,3})?)us$/.exec(more) : null;
  const isMoreWrong = more !== "" && bit === null && late === null;
  if (
    kind === undefined ||
    of === undefined ||
    isMoreWrong ||
    rest.length > 0 ||
    !/^[1-9]\d{0,14}$/.test(number ?? "")
  )
    throw new RangeError(
      `"${text}" is no fault: FAULT:ACCESS:NUMBER with ${accessFaultKinds.join(", ")}; ${accessKinds.join(", ")}; and a number from 1; ` +
        "wrong may go on with :bit17, late with :100us",
    );
  return {
    fault: kind,
    access: of,
    number: count,
    ...(bit === null ? {} : { bit: Number(bit[1]) }),
    ...(late === null ? {} : { delayNs: Math.round(Number(late[1]) * 1000) }),
  };
}

/** With `places`, a word for each fault that says what is struck; a reader needs none of it. */
export function formatFaultPlan({ rig, seed, faults }: FaultPlan, places: readonly string[] = []): string {
  const rows = faults.map((fault, at) => ({
    ...fault,
    ...(places[at] === undefined ? {} : { where: places[at] }),
  }));
  return `${JSON.stringify({ format: faultPlanFormat, version, rig, seed, faults: rows }, null, 2)}\n`;
}

/** RangeError that names the field and what it may be: nothing is guessed, and nothing unknown is passed over. */
export function parseFaultPlan(text: string): FaultPlan {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new RangeError(`no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const plan = fields(value, "the plan", ["format", "version", "rig", "seed", "faults"]);
  if (plan.format !== faultPlanFormat) throw new RangeError(`"format" is not "${faultPlanFormat}"`);
  const written = whole(plan.version, '"version"', 1, Number.MAX_SAFE_INTEGER);
  if (written > version)
    throw new RangeError(`it was written by a newer version (${written}, this one knows ${version})`);
  if (typeof plan.rig !== "string" || plan.rig === "") throw new RangeError('"rig" is no name');
  const seed = whole(plan.seed, '"seed"', 0, Number.MAX_SAFE_INTEGER);
  if (!Array.isArray(plan.faults) || plan.faults.length === 0 || plan.faults.length > faultsMaximum)
    throw new RangeError(`"faults" is no list of 1 to ${faultsMaximum}`);
  const faults = plan.faults.map((fault, at) => readFault(fault, `fault ${at + 1}`));
  const places = faults.map(({ access, number }) => `${access}:${number}`);
  const twice = places.find((place, at) => places.indexOf(place) !== at);
  if (twice !== undefined) throw new RangeError(`${twice} is struck twice`);
  return { rig: plan.rig, seed, faults };
}

/** Strictly: `what` is how a RangeError calls it. */
export function readFault(value: unknown, what: string): AccessFault {
  const row = fields(
    value,
    what,
    ["fault", "access", "number", "delayNs", "bit", "where"],
    ["delayNs", "bit", "where"],
  );
  const fault = oneOf<AccessFaultKind>(row.fault, `"fault" of ${what}`, accessFaultKinds);
  const access = oneOf<AccessKind>(row.access, `"access" of ${what}`, accessKinds);
  const number = whole(row.number, `"number" of ${what}`, 1, Number.MAX_SAFE_INTEGER);
  if (row.delayNs !== undefined && fault !== "late" && fault !== "doubled")
    throw new RangeError(`"delayNs" of ${what} goes with late and doubled only`);
  if (row.bit !== undefined && fault !== "wrong")
    throw new RangeError(`"bit" of ${what} goes with wrong only`);
  return {
    fault,
    access,
    number,
    ...(row.delayNs === undefined
      ? {}
      : { delayNs: whole(row.delayNs, `"delayNs" of ${what}`, 0, latestNs) }),
    ...(row.bit === undefined ? {} : { bit: whole(row.bit, `"bit" of ${what}`, 0, 0xffffffff) }),
  };
}
