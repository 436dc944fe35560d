// A command's input and output as a test sees them: what was printed and said, through the same gate.

import { shownText } from "@drydock/core/base/shown-text";
import { type CommandIo, eventText, jsonText, talkText } from "../src/terminal/command-io.ts";

export interface RecordedIo extends CommandIo {
  readonly printed: () => string;
  readonly said: () => string;
}

export function recordedIo(): RecordedIo {
  let printed = "";
  let said = "";
  return {
    print: (text) => {
      printed += shownText(text);
    },
    printAsIs: (text) => {
      printed += text;
    },
    document: (value, form = "pretty") => {
      printed += `${jsonText(value, form)}\n`;
    },
    say: (text) => {
      said += `${talkText(text)}\n`;
    },
    event: (text) => {
      said += `${eventText(text)}\n`;
    },
    progress: () => {},
    columns: null,
    isColored: false,
    isTalkWatched: false,
    printed: () => printed,
    said: () => said,
  };
}
