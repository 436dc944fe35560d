// Two traces side by side, and the first place where they part (posts.md F23).

import type { TraceLine } from "./usb-text.ts";

export interface TraceDifference {
  /** Index of the first pair of lines that differ; null when all are equal. */
  readonly index: number | null;
  readonly left: TraceLine | null;
  readonly right: TraceLine | null;
}

/** Compares what happened on the wire, not when. Marks count. */
export function firstDifference(left: readonly TraceLine[], right: readonly TraceLine[]): TraceDifference {
  const length = Math.max(left.length, right.length);
  for (let index = 0; index < length; index++) {
    if (left[index]?.wire === right[index]?.wire) continue;
    return { index, left: left[index] ?? null, right: right[index] ?? null };
  }
  return { index: null, left: null, right: null };
}

export interface SideBySideOptions {
  /** Columns of the terminal. */
  readonly width: number;
  readonly leftTitle: string;
  readonly rightTitle: string;
  /** Lines of equal beginning that are shown before the difference. Default 3. */
  readonly context?: number;
  /** Lines shown after it. Default 5. */
  readonly after?: number;
}

/** Two columns; the first difference is marked, the equal beginning is shortened. */
export function sideBySide(
  left: readonly TraceLine[],
  right: readonly TraceLine[],
  options: SideBySideOptions,
): string {
  const column = Math.max(20, Math.floor((options.width - 5) / 2));
  const difference = firstDifference(left, right);
  const at = difference.index ?? Math.max(left.length, right.length);
  const from = Math.max(0, at - (options.context ?? 3));
  const to = Math.min(Math.max(left.length, right.length), at + (options.after ?? 5) + 1);
  const rows: string[] = [
    row(options.leftTitle, options.rightTitle, column, " "),
    `${"-".repeat(column * 2 + 5)}`,
  ];
  if (from > 0) rows.push(`  ${from} equal lines before`);
  for (let index = from; index < to; index++) {
    const mark = index === difference.index ? ">" : left[index]?.wire === right[index]?.wire ? " " : "|";
    for (const part of wrap(left[index], right[index], column))
      rows.push(row(part[0], part[1], column, mark));
  }
  if (difference.index === null) rows.push("  no difference");
  return `${rows.join("\n")}\n`;
}

function row(left: string, right: string, column: number, mark: string): string {
  return `${mark} ${left.padEnd(column)} ${mark} ${right}`.trimEnd();
}

/** Each line over as many rows as it needs, with the cause on a row of its own. */
function wrap(left: TraceLine | undefined, right: TraceLine | undefined, column: number): [string, string][] {
  const parts = (line: TraceLine | undefined): string[] => {
    if (line === undefined) return ["(nothing)"];
    const pieces: string[] = [];
    for (const text of line.cause === "" ? [line.wire] : [line.wire, `  <- ${line.cause}`]) {
      for (let at = 0; at < text.length; at += column) pieces.push(text.slice(at, at + column));
    }
    return pieces;
  };
  const [lefts, rights] = [parts(left), parts(right)];
  return Array.from({ length: Math.max(lefts.length, rights.length) }, (_, index) => [
    lefts[index] ?? "",
    rights[index] ?? "",
  ]);
}
