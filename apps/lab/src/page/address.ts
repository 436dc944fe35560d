// The address of the lab says everything that is looked at: it is the case, never the layout of a window.

import { everyRow, type Opening, type RowLevel, type RowWish, rowLevels } from "../session/messages.ts";
import { isCase, isEnded } from "../session/opened-names.ts";

export const screens = ["rig", "trace", "registry", "time", "consoles", "cases", "doctor"] as const;
export type Screen = (typeof screens)[number];

export interface Address {
  readonly screen: Screen;
  /** A rig's name or a case's id. */
  readonly what: string;
  readonly side: "bad" | "good";
  readonly seed: number;
  readonly faults: readonly string[];
  /** Sequence of the selected row; 0: none. */
  readonly row: number;
  readonly filter: string;
  readonly level: RowLevel;
  readonly isFolded: boolean;
  /** The filter marks what it finds among everything. */
  readonly isMarked: boolean;
  /** Of a case that can be played so: its cable is pulled before this step; 0: as the case tells it. */
  readonly unplugAt: number;
  /** The span of the time screen, in seconds: "0.5-0.75"; empty: everything. */
  readonly span: string;
  /** What is done by hand from the beginning, as lines of acts. Of a rig only. */
  readonly acts: readonly string[];
  /** Where a rig stands, in seconds; null: it runs from the beginning. */
  readonly timeS: number | null;
}

export const firstAddress: Address = {
  screen: "rig",
  what: "serial",
  side: "bad",
  seed: 1,
  faults: [],
  row: 0,
  filter: "",
  level: everyRow.level,
  isFolded: false,
  isMarked: false,
  unplugAt: 0,
  span: "",
  acts: [],
  timeS: null,
};

const highestSeed = 4_294_967_295;

/** Reads "#/trace/P02?seed=7&side=bad&row=12"; what is damaged in it is what it is without it. */
export function parseAddress(hash: string): Address {
  const [, path = "", query = ""] = /^#?\/?([^?]*)\??(.*)$/s.exec(hash) ?? [];
  const [screen = "", what = ""] = path.split("/");
  const fields = new URLSearchParams(query);
  const whole = (name: string, otherwise: number, most: number): number => {
    const text = fields.get(name) ?? "";
    return /^\d{1,15}$/.test(text) && Number(text) <= most ? Number(text) : otherwise;
  };
  const all = (name: string, longest: number): string[] =>
    fields.getAll(name).filter((text) => text !== "" && text.length <= longest);
  const time = fields.get("t");
  const level = fields.get("level");
  return {
    screen: (screens as readonly string[]).includes(screen) ? (screen as Screen) : firstAddress.screen,
    what: /^[A-Za-z][A-Za-z0-9-]{0,40}$/.test(what) ? what : firstAddress.what,
    side: fields.get("side") === "good" ? "good" : "bad",
    seed: whole("seed", firstAddress.seed, highestSeed),
    faults: all("fault", 100).slice(0, 8),
    acts: all("act", 4096).slice(0, 200),
    row: whole("row", 0, 2 ** 50),
    filter: (fields.get("filter") ?? "").slice(0, 400),
    level: rowLevels.find((known) => known === level) ?? firstAddress.level,
    isFolded: fields.get("fold") === "1",
    isMarked: fields.get("mark") === "1",
    unplugAt: whole("unplug", 0, 1_000_000),
    span: (fields.get("span") ?? "").slice(0, 40),
    timeS: time !== null && /^\d{1,6}(?:\.\d{1,9})?$/.test(time) ? Number(time) : null,
  };
}

export function formatAddress(address: Address): string {
  const fields = new URLSearchParams();
  fields.set("seed", String(address.seed));
  if (isCase(address.what)) fields.set("side", address.side);
  for (const rule of address.faults) fields.append("fault", rule);
  for (const line of address.acts) fields.append("act", line);
  if (address.timeS !== null) fields.set("t", String(address.timeS));
  if (address.row > 0) fields.set("row", String(address.row));
  if (address.filter !== "") fields.set("filter", address.filter);
  if (address.level !== firstAddress.level) fields.set("level", address.level);
  if (address.span !== "") fields.set("span", address.span);
  if (address.isFolded) fields.set("fold", "1");
  if (address.isMarked) fields.set("mark", "1");
  if (isCase(address.what) && address.unplugAt > 0) fields.set("unplug", String(address.unplugAt));
  return `#/${address.screen}/${address.what}?${fields}`;
}

export function openingOf(address: Address): Opening {
  const { acts, faults, seed, side, timeS, unplugAt, what } = address;
  const isRunning = !isEnded(what) && timeS === null && acts.length === 0;
  return { what, side, seed, faults, isRunning, unplugAt };
}

export function wishOf({ filter, isFolded, isMarked, level }: Address): RowWish {
  return { text: filter, level, isFolded, isMarked };
}
