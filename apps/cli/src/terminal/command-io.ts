// What a command reads and writes: data on stdout, talk on stderr, and the gate before both.

import { folded, shown, shownJson, shownText } from "@drydock/core/base/shown-text";

/** A line of talk is never longer: what is, is somebody else's. */
const longestLine = 8000;
/** What somebody else says fits in a few lines of a terminal. */
const longestEvent = 1000;

export interface CommandIo {
  /** Data as text. Line feeds, tabs and, with `isColored`, colours stay; nothing else commands the terminal. */
  print(text: string): void;
  /** Data of a format that escapes by its own rules (workflow annotations, HTML, scripts of a shell). */
  printAsIs(text: string): void;
  /** Data as one JSON document; `line` puts it on one line, for programs that read while we go on. */
  document(value: unknown, form?: "pretty" | "line"): void;
  /** One line of talk, or several. */
  say(text: string): void;
  /** One line of talk about what somebody else did or said: it stays one line, whatever is in it. */
  event(text: string): void;
  /** A line of talk that the next one replaces; nothing where stderr is no terminal. */
  progress(text: string): void;
  /** Columns of the terminal; null where stdout is none. */
  readonly columns: number | null;
  /** True where stdout is a terminal whose user wants colours. */
  readonly isColored: boolean;
  /** True where talk goes to a terminal. */
  readonly isTalkWatched: boolean;
}

const escapeByte = "\x1b";
/** Of all escape sequences only those for colour and weight. */
const colours = new RegExp(`(${escapeByte}\\[[0-9;]{0,20}m)`);

/** `shownText`, with our own colours left in. */
export function shownColoured(text: string): string {
  return text
    .split(colours)
    .map((part, index) => (index % 2 === 1 ? part : shownText(part)))
    .join("");
}

export function processIo(): CommandIo {
  const { stdout, stderr } = process;
  const isColored = stdout.isTTY === true && process.env.NO_COLOR === undefined;
  let isInProgress = false;
  const clear = (): void => {
    if (isInProgress) stderr.write("\r\x1b[K");
    isInProgress = false;
  };
  return {
    print: (text) => {
      clear();
      stdout.write(isColored ? shownColoured(text) : shownText(text));
    },
    printAsIs: (text) => {
      stdout.write(text);
    },
    document: (value, form = "pretty") => {
      clear();
      stdout.write(`${jsonText(value, form)}\n`);
    },
    say: (text) => {
      clear();
      stderr.write(`${talkText(text)}\n`);
    },
    event: (text) => {
      clear();
      stderr.write(`${eventText(text)}\n`);
    },
    progress: (text) => {
      if (stderr.isTTY !== true) return;
      clear();
      stderr.write(shownText(text));
      isInProgress = true;
    },
    columns: stdout.columns ?? null,
    isColored,
    isTalkWatched: stderr.isTTY === true,
  };
}

export function jsonText(value: unknown, form: "pretty" | "line"): string {
  return shownJson(
    form === "pretty" ? JSON.stringify(value, bytesAsHex, 2) : JSON.stringify(value, bytesAsHex),
  );
}

export function eventText(text: string): string {
  const blanks = /^ */.exec(text)?.[0] ?? "";
  return shownText(`${blanks}${shown(text.slice(blanks.length), longestEvent)}`);
}

function bytesAsHex(_key: string, value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value;
}

export function talkText(text: string): string {
  return text
    .split("\n")
    .map((line) => shownText(folded(line, longestLine)))
    .join("\n");
}
