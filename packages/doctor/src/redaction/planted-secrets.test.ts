// 330 secrets in eleven kinds of files, each told again somewhere else: what is left of them, and what else is gone.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { captureOf, panicOf, plist } from "../test/samples.ts";
import { sampleProfile } from "../test/signed-samples.ts";
import { redactFile } from "./redacted-file.ts";
import { RedactionLedger, redactText } from "./redacted-text.ts";

const eachFile = 30;
const utf8 = new TextEncoder();

const letter = (n: number) => String.fromCharCode(65 + (n % 26));
const hex = (n: number, digits: number) => (n % 16 ** digits).toString(16).padStart(digits, "0");
/** Unlike each other in every kind, so that none hides another. */
const make = {
  team: (n: number) => `${letter(n)}${letter(n * 3)}7${letter(n * 5)}Q${(n % 90) + 10}${letter(n * 7)}4Z`,
  mail: (n: number) => `p${n}.muster@mail${n % 7}.example`,
  name: (n: number) => `Petra${letter(n)}${letter(n / 26)} Muster${n}`,
  user: (n: number) => `pmuster${n}`,
  host: (n: number) => `desk-of-petra${n}`,
  serial: (n: number) => `C02${letter(n)}${letter(n * 3)}${1000 + n}XY`,
  device: (n: number) => `00008103-${hex(0xa1110000 + n * 77, 8)}${hex(0x2222333a + n, 8)}`.toUpperCase(),
  mac: (n: number) => `a4:83:e7:${hex(n, 2)}:${hex(n * 7, 2)}:${hex(n * 13 + 16, 2)}`,
  ipv4: (n: number) => `192.168.${n % 200}.${(n * 3) % 250}`,
  ipv6: (n: number) => `fe80::1c2d:${hex(n + 4096, 4)}:${hex(n * 7 + 256, 3)}:1`,
  path: (n: number) => `/private/work/customer${n}/Build%20Area/x.dext`,
} as const;
type Kind = keyof typeof make;

interface Planted {
  readonly secrets: readonly string[];
  readonly bytes: Uint8Array;
}

let count = 0;
/** Thirty secrets of these kinds in turn, each in the line that `line` makes of it. */
function text(
  kinds: readonly Kind[],
  line: (kind: Kind, secret: string, n: number) => string,
  frame = (s: string) => s,
): Planted {
  const rows = Array.from({ length: eachFile }, (_, index) => {
    const kind = kinds[index % kinds.length];
    const secret = make[kind](++count);
    return { secret, text: line(kind, secret, index) };
  });
  return {
    secrets: rows.map(({ secret }) => secret),
    bytes: utf8.encode(frame(rows.map((row) => row.text).join("\n"))),
  };
}

const row = (message: string) =>
  `2026-11-20 10:00:00.000000+0100 0x1a2b     Default     0x0                  0      0    ${message}`;

const files: Readonly<Record<string, () => Planted>> = {
  "a log": () =>
    text(["team", "user", "ipv4", "ipv6", "mac", "path"], (kind, secret) =>
      row(
        {
          team: `amfid: client team=${secret}, driver team=`,
          user: `kernel: AMFI: /Users/${secret}/Applications/Pad.app/Contents/MacOS/Pad not valid`,
          ipv4: `configd: en0 address ${secret} is up`,
          ipv6: `configd: en0 inet6 ${secret}%en0 is up`,
          mac: `kernel: en0: ether ${secret}`,
          path: `sysextd: file://${secret} was staged`,
        }[kind as "team"],
      ),
    ),
  "a log in syslog's style": () =>
    text(
      ["host"],
      (_kind, secret) => `2026-11-20 10:00:00.000000+0100  ${secret} kernel[0]: (pad.dext) hello`,
    ),
  "a panic report": () =>
    text(
      ["device", "serial", "host"],
      (kind, secret) =>
        ({
          device: `"crashReporterKey" : "${secret}",`,
          serial: `"serialNumber" : "${secret}",`,
          host: `"hostName" : "${secret}",`,
        })[kind as "device"],
      (lines) => `${panicOf("userspace watchdog timeout")}{\n${lines}\n"x" : 1}\n`,
    ),
  "a crash report": () =>
    text(["user", "device"], (kind, secret) =>
      kind === "user"
        ? `Path:  /Users/${secret}/Library/Developer/Xcode/DerivedData/Pad/Pad`
        : `CrashReporter Key:   ${secret}`,
    ),
  "a registry dump": () =>
    text(["serial", "mac"], (kind, secret) =>
      kind === "serial"
        ? `  | |   "USB Serial Number" = "${secret}"`
        : `  | |   "IOMACAddress" = <${secret.replaceAll(":", "")}> ${secret}`,
    ),
  "a list of extensions": () =>
    text(
      ["team"],
      (_kind, secret, n) => `*\t*\t${secret}\tnet.sample.pad${n} (1.0/1)\tPad\t[activated enabled]`,
      (lines) => `30 extension(s)\n--- com.apple.system_extension.driver_extension\n${lines}\n`,
    ),
  "entitlements and a decoded profile": () =>
    text(
      ["team", "name"],
      (kind, secret) =>
        kind === "team"
          ? `<key>com.apple.application-identifier</key><string>${secret}.net.sample.pad</string>`
          : `<key>TeamName</key><string>${secret}</string>`,
      (lines) => `<?xml version="1.0"?>\n<plist version="1.0"><dict>\n${lines}\n</dict></plist>\n`,
    ),
  "what codesign printed": () =>
    text(
      ["name", "team", "path"],
      (kind, secret) =>
        ({
          name: `Authority=Developer ID Application: ${secret} (QQ11WW22EE)`,
          team: `designated => anchor apple generic and certificate leaf[subject.OU] = "${secret}"`,
          path: `Executable=file://${secret}`,
        })[kind as "name"],
    ),
  "a mail": () =>
    text(
      ["name", "mail", "user"],
      (kind, secret, n) =>
        ({
          name: `From: ${secret} <someone${n}@list.example>`,
          mail: `You can reach me at ${secret}, thanks.`,
          user: `-rw-r--r--  1 ${secret}  staff  1234 Nov 20 10:00 pad.log`,
        })[kind as "name"],
    ),
  "source from Xcode": () =>
    text(["name", "user"], (kind, secret) =>
      kind === "name"
        ? `//  Created by ${secret} on 20.11.2026.`
        : `#include "/Users/${secret}/src/pad/pad.h"`,
    ),
  "a terminal": () =>
    text(
      ["user", "host", "ipv4", "serial"],
      (kind, secret) =>
        ({
          user: `${secret}@build-box ~ % ls -l /dev/cu.usbmodem1101`,
          host: `someone@${secret} ~ % ioreg -l -w0`,
          ipv4: `scp pad.log ${secret}:22/tmp`,
          serial: `ls: /dev/cu.usbserial-${secret}: No such file`,
        })[kind as "user"],
    ),
};

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
  for (const [name, plant] of Object.entries(files)) {
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
