// What a C++ parser cannot read in a driver's source: annotations of .iig, macros of classes, blocks, prose round code.

/** An attribute of the interface compiler, or a macro that stands for declarations: taken out of the text, kept here. */
export interface Annotation {
  /** "TYPE", "LOCALONLY", "OSDeclareDefaultStructors". */
  readonly name: string;
  /** What stands in the parentheses, "" for none. */
  readonly argument: string;
  readonly start: number;
}

export interface Rewritten {
  /** For the parser. */
  readonly text: string;
  readonly annotations: readonly Annotation[];
  /** Where code is in the original: everything, or the fenced parts of a post. */
  readonly codeRanges: readonly (readonly [number, number])[];
  /** Offset in `text` -> offset in the original. */
  original(offset: number): number;
}

/** Attributes by the interface compiler's own names (DriverKit/OSObject.iig, and its documentation). */
const words =
  "KERNEL|NATIVE|LOCAL|LOCALONLY|REMOTE|LOCALHOST|INVOKEREPLY|REPLY|TARGET|PORTMAKESEND|PORTCOPYSEND|IIG_[A-Z_]+|__unused|LIBKERN_[A-Z_]+|DRIVERKIT_[A-Z_]+";
const withArgument = "TYPE|QUEUENAME|EXTENDS|API_AVAILABLE|API_DEPRECATED|__API_AVAILABLE";
const structors = "OS(?:Declare|Define)\\w*Structors\\w*|OSDefineMetaClass\\w*";
const attribute = new RegExp(
  `(?<![\\w.>:"])(?:(${withArgument}|${structors})\\s*\\(([^(){};]*)\\)|(${words})\\b(?!\\s*(?:\\(|::|->|\\.)))`,
  "g",
);
/** A block literal: `^{`, `^(int a) {`, `^bool(void) {`. Blocks are an extension that the grammar does not know. */
const block = /\^\s*((?:[A-Za-z_][\w:]*[\s*]*)?)(?=(?:\([^(){};]*\)\s*)?\{)/g;
const fence = /^[ \t>]*```[^\n]*$/gm;

const blank = (text: string): string => text.replace(/[^\n\r]/g, " ");

/** Everything keeps its place, except that a block's `^` becomes a lambda's `[]`. */
export function rewrite(original: string): Rewritten {
  const codeRanges = rangesOfCode(original);
  const annotations: Annotation[] = [];
  let text = keepOnly(original, codeRanges);
  // A post that is quoted line by line.
  if (/^[ \t]*>/.test(text) && text.split("\n").every((line) => /^\s*(?:>|$)/.test(line)))
    text = text.replace(/^[ \t]*>/gm, blank);
  text = text.replace(attribute, (whole, called, argument, word, at: number) => {
    if (isInsideDirective(text, at)) return whole;
    annotations.push({ name: called ?? word, argument: (argument ?? "").trim(), start: at });
    return blank(whole);
  });
  // A variable that holds a block: `void (^handler)(void)`.
  text = text.replace(/\(\s*\^(?=\s*\w*\s*\)\s*\()/g, (whole) => `${whole.slice(0, -1)}*`);
  const grown: number[] = [];
  text = text.replace(block, (whole, type: string, at: number) => {
    if (!startsExpression(text, at)) return whole;
    grown.push(at + grown.length);
    return `[]${blank(whole.slice(1, whole.length - type.length))}${blank(type)}`;
  });
  return { text, annotations, codeRanges, original: (offset) => offset - countBelow(grown, offset) };
}

function countBelow(sorted: readonly number[], offset: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

function rangesOfCode(text: string): [number, number][] {
  const fences = [...text.matchAll(fence)];
  if (fences.length === 0) return [[0, text.length]];
  const ranges: [number, number][] = [];
  for (let index = 0; index < fences.length; index += 2) {
    const opening = fences[index];
    ranges.push([opening.index + opening[0].length, fences[index + 1]?.index ?? text.length]);
  }
  return ranges;
}

function keepOnly(text: string, ranges: readonly (readonly [number, number])[]): string {
  let kept = "";
  let at = 0;
  for (const [start, end] of ranges) {
    kept += blank(text.slice(at, start)) + text.slice(start, end);
    at = end;
  }
  return kept + blank(text.slice(at));
}

function isInsideDirective(text: string, at: number): boolean {
  return /^[ \t]*#/.test(text.slice(text.lastIndexOf("\n", at - 1) + 1, at + 1));
}

function startsExpression(text: string, at: number): boolean {
  for (let index = at - 1; index >= 0 && at - index < 200; index--) {
    const letter = text[index];
    if (/\s/.test(letter)) continue;
    return /[(,=?:{};&|]/.test(letter) || /\breturn$/.test(text.slice(Math.max(0, index - 6), index + 1));
  }
  return true;
}
