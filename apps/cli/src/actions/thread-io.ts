// What a thread says, carried to the command that started it.

import type { CommandIo } from "../terminal/command-io.ts";

/** A line of talk, or a document, on its way out of a thread. */
export type ThreadTalk =
  | { readonly kind: "say" | "event"; readonly text: string }
  | { readonly kind: "document"; readonly value: unknown };

const nothing = (): void => {};

/** Data that is text stays unsaid: it is for a command that runs alone. */
export function threadIo(send: (talk: ThreadTalk) => void): CommandIo {
  return {
    print: nothing,
    printAsIs: nothing,
    document: (value) => send({ kind: "document", value }),
    progress: nothing,
    say: (text) => send({ kind: "say", text }),
    event: (text) => send({ kind: "event", text }),
    columns: null,
    isColored: false,
    isTalkWatched: false,
  };
}
