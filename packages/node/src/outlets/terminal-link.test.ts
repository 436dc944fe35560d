// A terminal's link: only one of ours, and only one whose terminal is gone, is ever replaced or removed.

import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import {
  makeTerminalLink,
  removeTerminalLink,
  TerminalLinkTaken,
  whyNoTerminalLink,
} from "./terminal-link.ts";

/** No system has so many terminals: it is gone. */
const gone = "/dev/pts/987654321";
const own = "/dev/pts/987654322";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "drydock-link-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a free name, and a link that a killed command left behind, are taken", () => {
  const path = join(folder, "tty");
  makeTerminalLink(path, gone);
  assert.equal(readlinkSync(path), gone);
  makeTerminalLink(path, own);
  assert.equal(readlinkSync(path), own);
  removeTerminalLink(path, own);
  assert.equal(whyNoTerminalLink(path), null);
});

for (const [what, make] of [
  ["a file", (path: string) => writeFileSync(path, "three years of work")],
  ["a folder", (path: string) => mkdirSync(path)],
  ["a link to a file", (path: string) => symlinkSync("/etc/hostname", path)],
  ["a link that leads nowhere", (path: string) => symlinkSync("/nowhere", path)],
  ["a link to something that lives in /dev", (path: string) => symlinkSync("/dev/null", path)],
] as const) {
  test(`${what} is neither replaced nor removed`, () => {
    const path = join(folder, "tty");
    make(path);
    assert.throws(() => makeTerminalLink(path, own), TerminalLinkTaken);
    removeTerminalLink(path, own);
    assert.notEqual(whyNoTerminalLink(path), null);
  });
}

test("what took the link's place meanwhile stays at the end", () => {
  const path = join(folder, "tty");
  makeTerminalLink(path, own);
  rmSync(path);
  writeFileSync(path, "somebody else's");
  removeTerminalLink(path, own);
  assert.equal(readFileSync(path, "utf8"), "somebody else's");
});

test("a folder that is not there is said, nothing is made", () => {
  assert.throws(() => makeTerminalLink(join(folder, "no", "tty"), own), TerminalLinkTaken);
});
