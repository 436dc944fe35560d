// The gate before a terminal, a log, a page or a CI runner: foreign text becomes text that commands nobody.

/** What commands or hides: controls (C0, DEL, C1), bidirectional and zero-width marks, line separators, lone halves. */
const commanding = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
/** The same, but a line may end and a tab may stand. */
const commandingInText = /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
/**
 * Lines that a CI runner obeys: GitHub's `::command::` at a line's start, `##[command]`, Azure's `##vso[` and TeamCity's
 * `##teamcity[` anywhere in a line, GitLab's `section_start:1:name`.
 */
const startCommand = /^(\s*):(?=:)/gmu;
const anywhereCommand = /##(?=[\p{L}\p{N}_.-]*\[)/gu;
const sectionCommand = /section_(?=(?:start|end):\d)/gu;

/** How many characters of one foreign value stand in a line. */
export const longestShown = 400;

const named: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function mark(character: string): string {
  const code = character.codePointAt(0) as number;
  return (
    named[character] ??
    (code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`)
  );
}

const withoutCommands = (text: string): string =>
  text
    .replace(startCommand, "$1\\x3a")
    .replace(anywhereCommand, "\\x23#")
    .replace(sectionCommand, "section\\x5f");

/**
 * One foreign value within a line: a name, a path, a word out of evidence. What would command a terminal or a runner is
 * shown as such (`\x1b`, `\n`, `\u{202e}`); of a long one the middle is left out and counted.
 */
export function shown(value: string, longest = longestShown): string {
  return withoutCommands(folded(value, longest).replace(commanding, mark));
}

/** Text of several lines: line feeds and tabs stay, everything else is as in `shown`. Nothing is left out. */
export function shownText(text: string): string {
  return withoutCommands(text.replace(commandingInText, mark));
}

/**
 * What `JSON.stringify` made: the same value, with nothing in it that commands a terminal or a runner. (It leaves DEL,
 * C1 and everything above as it is.)
 */
export function shownJson(json: string): string {
  const escaped = (text: string): string =>
    Array.from(
      { length: text.length },
      (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, "0")}`,
    ).join("");
  return json
    .replace(commandingInText, escaped)
    .replace(anywhereCommand, "\\u0023#")
    .replace(sectionCommand, "section\\u005f");
}

/** The middle of what is longer than `longest` characters gives way to their number. */
export function folded(text: string, longest = longestShown): string {
  if (text.length <= longest) return text;
  const head = Math.ceil(longest * 0.75);
  const tail = longest - head;
  return `${text.slice(0, head)}[... ${text.length - longest} characters ...]${text.slice(text.length - tail)}`;
}
