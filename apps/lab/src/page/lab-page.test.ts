// The lab's address: an answer that comes late does not call back who has gone elsewhere.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { signal } from "@preact/signals";
import type { RowDetail, SessionState } from "../session/messages.ts";
import { LabPage } from "./lab-page.ts";
import type { SessionLink } from "./session-link.ts";

const names = ["location", "history", "addEventListener"] as const;
const before = names.map((name) => Object.getOwnPropertyDescriptor(globalThis, name));
after(() => {
  for (const [at, name] of names.entries()) {
    const own = before[at];
    if (own === undefined) Reflect.deleteProperty(globalThis, name);
    else Object.defineProperty(globalThis, name, own);
  }
});

/** A browser that says "hashchange" a task later, as browsers do; and a session that answers when it is told to. */
function desk(hash: string) {
  const location = { hash };
  let changed: () => void = () => {};
  const stubs = {
    location,
    history: {
      replaceState: (_state: unknown, _title: string, url: string) => {
        location.hash = url;
      },
    },
    addEventListener: (_type: string, handler: () => void) => {
      changed = handler;
    },
  };
  for (const name of names)
    Object.defineProperty(globalThis, name, { value: stubs[name], configurable: true, writable: true });
  let answer: (detail: RowDetail) => void = () => {};
  const opened: string[] = [];
  const link = {
    state: signal<SessionState | null>(null),
    open: ({ what }: { what: string }) => opened.push(what),
    list: () => {},
    row: () =>
      new Promise<RowDetail>((resolve) => {
        answer = resolve;
      }),
  };
  const page = new LabPage(link as unknown as SessionLink);
  return { page, location, opened, changed: () => changed(), answer: () => answer({} as RowDetail) };
}

test("a row that is answered while the browser goes elsewhere leaves the new address alone", async () => {
  const { answer, changed, location, opened, page } = desk("#/trace/P15?seed=1&side=bad");
  const choosing = page.choose(7);
  location.hash = "#/consoles/P18?seed=1&side=bad";
  answer();
  await choosing;
  assert.equal(location.hash, "#/consoles/P18?seed=1&side=bad");
  changed();
  assert.deepEqual([opened, page.address.peek().what], [["P15", "P18"], "P18"]);
});

test("a row that is answered in its own place is in the address", async () => {
  const { answer, location, opened, page } = desk("#/trace/P15?seed=1&side=bad");
  const choosing = page.choose(7);
  answer();
  await choosing;
  assert.match(location.hash, /^#\/trace\/P15\?.*row=7/);
  assert.deepEqual(opened, ["P15"]);
});
