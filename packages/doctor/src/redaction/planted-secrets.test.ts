// 330 secrets in eleven kinds of files, each told again somewhere else: what is left of them, and what else is gone.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { plantedFiles } from "../test/planted-secrets.ts";
import { captureOf, plist } from "../test/samples.ts";
import { sampleProfile } from "../test/signed-samples.ts";
import { redactFile } from "./redacted-file.ts";
import { RedactionLedger, redactText } from "./redacted-text.ts";

const utf8 = new TextEncoder();

/** Where the same secret stands again, without anything around it that says what it is. */
const elsewhere: readonly ((secret: string) => string)[] = [
  (secret) => `I think that ${secret} is the one.`,
  (secret) => `see (${secret}), please`,
  (secret) => `"${secret}"`,
  (secret) => `value=${secret};`,
  (secret) => `> ${secret}`,
];

test("330 secrets: every one is gone from its place, and 98 of 100 from anywhere else in another file", async () => {
  const ledger = new RedactionLedger();
  const all: string[] = [];
  let left = 0;
  for (const [name, plant] of Object.entries(plantedFiles)) {
    const { secrets, bytes } = plant();
    const before = bytes.slice();
    const { text: out } = await redactFile(name, bytes, ledger);
    assert.deepEqual(bytes, before);
    for (const secret of secrets) assert.equal(out.includes(secret), false, `${name}: ${secret} is left`);
    all.push(...secrets);
  }
  assert.equal(all.length, 330);
  for (const [index, secret] of all.entries())
    if (redactText(elsewhere[index % elsewhere.length](secret), ledger).includes(secret)) left++;
  assert.ok(left <= all.length * 0.02, `${left} of ${all.length} are left elsewhere`);
});

test("signed, packed and captured: the same in forms that are no text", async () => {
  const ledger = new RedactionLedger();
  const profile = await redactFile("p", sampleProfile("org.example.app", { a: true }), ledger);
  assert.doesNotMatch(profile.text, /TEAM123456/);
  const serial = "C02PETRA1234";
  const capture = captureOf([
    {
      endpoint: 0x80,
      kind: 2,
      setup: [0x80, 6, 3, 3, 9, 4, 255, 0],
      data: [2 + 2 * serial.length, 3, ...[...serial].flatMap((c) => [c.charCodeAt(0), 0])],
      requested: 255,
    },
  ]);
  const captured = await redactFile("c", capture, ledger);
  assert.doesNotMatch(captured.text, /C02PETRA|4300300032/i);
  assert.match(captured.notes.join(), /no capture tool reads it/);
});

test("an archive becomes its files as text, names and all, and says that nothing unpacks it", async () => {
  const { text: out, notes } = await redactFile(
    "a.tar",
    tarOf({
      "Users/pmuster/pad.log": "amfid: /Users/pmuster/Pad.app client team=AB12CD34EF\n",
      "Users/pmuster/e.entitlements": plist({ "com.apple.application-identifier": "AB12CD34EF.net.sample" }),
    }),
    new RedactionLedger(),
  );
  assert.doesNotMatch(out, /pmuster|AB12CD34EF/);
  assert.match(out, /==> Users\/user1\/pad\.log <==\namfid: \/Users\/user1\/Pad\.app client team=TEAMX00001/);
  assert.match(notes.join(), /nothing unpacks it/);
});

test("source and logs without secrets: at most one word of a hundred is changed", () => {
  const folder = fileURLToPath(new URL("../rules/", import.meta.url));
  let words = 0;
  let changed = 0;
  const pages = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map(
      (name) => readFileSync(`${folder}${name}`, "utf8").split("## Seen as")[1]?.split("## What")[0] ?? "",
    );
  assert.ok(pages.length > 100);
  for (const page of pages) {
    const before = page.split(/\s+/);
    const after = redactText(page, new RedactionLedger()).split(/\s+/);
    words += before.length;
    const kept = new Set(after);
    changed += before.filter((word) => !kept.has(word)).length;
  }
  assert.ok(changed <= words / 100, `${changed} of ${words} words are changed`);
});

/** A megabyte on one line, in the ways that patterns fear. */
const long: Readonly<Record<string, string>> = {
  blanks: " ",
  "blanks and stars": " * ",
  colons: "a:b::c ",
  "home folders": "/Users/",
  addresses: "10.0.0.1 ",
  "bytes with dashes": "a4-83-",
  "halves of mails": "a@b.",
  quotes: '"serial',
  keys: "<key>Serial</key>",
};

test("a megabyte of anything on one line comes back", { timeout: 120_000 }, () => {
  for (const [name, unit] of Object.entries(long))
    assert.ok(redactText(unit.repeat((1 << 20) / unit.length), new RedactionLedger()).length > 1000, name);
  const mails = Array.from({ length: 40_000 }, (_, index) => `user${index}x@ex${index}.example`).join(" ");
  assert.doesNotMatch(redactText(mails, new RedactionLedger()), /@ex\d/);
});

/** A tar archive (POSIX.1-1988, ustar header) of small files. */
function tarOf(members: Readonly<Record<string, string>>): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (const [name, content] of Object.entries(members)) {
    const data = utf8.encode(content);
    const header = new Uint8Array(512);
    header.set(utf8.encode(name), 0);
    header.set(utf8.encode("0000644\x000000000\x000000000\0"), 100);
    header.set(utf8.encode(`${data.length.toString(8).padStart(11, "0")}\0`), 124);
    header.set(utf8.encode("00000000000\0        0"), 136);
    header.set(utf8.encode("ustar\u000000"), 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.set(utf8.encode(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
    const body = new Uint8Array(Math.ceil(data.length / 512) * 512);
    body.set(data);
    blocks.push(header, body);
  }
  blocks.push(new Uint8Array(1024));
  return new Uint8Array(Buffer.concat(blocks));
}
