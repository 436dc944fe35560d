// A command's input and output where no terminal is: what was printed and said, through the same gate, held in memory.

import { shownText } from "@drydock/core/base/shown-text";
import { type CommandIo, eventText, jsonText, talkText } from "./command-io.ts";

export interface HeldIo extends CommandIo {
  printed(): string;
  said(): string;
}

/** Throws RangeError out of the command that prints or says more than so many characters. */
export function heldIo(mostCharacters = Number.MAX_SAFE_INTEGER): HeldIo {
  let printed = "";
  let said = "";
  const bounded = (text: string): string => {
    if (text.length > mostCharacters)
      throw new RangeError(`the answer has more than ${mostCharacters} characters`);
    return text;
  };
  const print = (text: string): void => {
    printed = bounded(printed + text);
  };
  const say = (text: string): void => {
    said = bounded(`${said}${text}\n`);
  };
  return {
    print: (text) => print(shownText(text)),
    printAsIs: print,
    document: (value, form = "pretty") => print(`${jsonText(value, form)}\n`),
    say: (text) => say(talkText(text)),
    event: (text) => say(eventText(text)),
    progress: () => {},
    columns: null,
    isColored: false,
    isTalkWatched: false,
    printed: () => printed,
    said: () => said,
  };
}
