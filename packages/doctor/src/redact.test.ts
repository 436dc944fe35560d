// --redact: teams, serials and user names are in no part of a report, and the answers stay.

import assert from "node:assert/strict";
import { test } from "node:test";
import { diagnose } from "./diagnose.ts";
import { sourcesOf } from "./test/rule-check.ts";

const files = {
  "/Users/jane/log.txt":
    "kernel: DK: A-0x1a:UC failed team ID check. client team=ABCDE12345, driver team=FGHIJ67890\nkernel: /Users/jane/x FGHIJ67890 DK: B-0x1:UC failed userclient-access check, needed bundle ID b\n",
  list: "1 extension(s)\n*\t*\tFGHIJ67890\torg.example.drv (1/1)\tdrv\t[activated enabled]\n",
};

test("what names a person or a team is gone, also where only another file told that it is a secret", async () => {
  const open = JSON.stringify(await diagnose(sourcesOf(files)));
  for (const secret of ["jane", "ABCDE12345", "FGHIJ67890"]) assert.ok(open.includes(secret), secret);
  const closed = await diagnose(sourcesOf(files), { redact: true });
  const text = JSON.stringify(closed);
  for (const secret of ["jane", "ABCDE12345", "FGHIJ67890"]) assert.ok(!text.includes(secret), secret);
  assert.deepEqual(
    closed.answers.map(({ rule }) => rule),
    ["DR20-1", "DR20-3"],
  );
});

/** The report with everything that any format shows. */
async function redacted(given: Record<string, string>): Promise<string> {
  return JSON.stringify(await diagnose(sourcesOf(given), { redact: true }));
}

const panicked = (driver: string) => `panic(cpu 0 caller 0xffffff80): "busy timeout[0], (60s): '${driver}'"`;

// What each stands for: a log line's machine as syslog and as `log show --style syslog` write it, serial numbers in the
// name of a registry entry, people in paths of this and of another system, a team's name, addresses.
for (const [what, files, gone] of [
  [
    "the host of a BSD syslog line, also where a word begins with it",
    { "a.log": `Jan  2 10:00:00 labmini7 kernel[0]: ${panicked("Stick")}\n` },
    ["labmini7"],
  ],
  [
    "the host of a line of log show, with an offset of its own",
    { "a.log": `2026-01-01 10:00:00.000000-0730 Room-12.example.net kernel[0]: ${panicked("Stick")}\n` },
    ["Room-12"],
  ],
  [
    "a serial number in brackets, of digits alone and with letters",
    { "a.log": `${panicked("Disk (WX41A95H7788)")}\n${panicked("Disk (00112233445566)")}\n` },
    ["WX41A95H7788", "00112233445566"],
  ],
  [
    "a user of a path, and the same name without a path",
    { "a.log": `jane.roe kernel: open /Users/jane.roe/x failed: ${panicked("jane.roe's disk")}\n` },
    ["jane.roe"],
  ],
  [
    "a folder, a file and an inner file that are called after people",
    { "C:\\Users\\rroe\\Desktop\\roe's machine.log": `${panicked("Stick")}\n` },
    ["rroe", "roe's"],
  ],
  [
    "a volume, an e-mail and a hardware address",
    {
      "a.log": `kernel: /Volumes/Roe Backup/a.img roe@example.org 00:1b:63:84:45:e6 ${panicked("Stick")}\n`,
    },
    ["Roe Backup", "roe@example.org", "00:1b:63"],
  ],
  [
    "an installation's UUID and an address in a network",
    {
      "a.log": `kernel: 8D3F1F6A-0B7C-4E5D-9A1B-2C3D4E5F6071 from 192.0.2.44 ${panicked("Stick")}\n`,
    },
    ["8D3F1F6A", "192.0.2.44"],
  ],
] as const) {
  test(`--redact: ${what}`, async () => {
    const open = JSON.stringify(await diagnose(sourcesOf(files as never)));
    const closed = await redacted(files as never);
    const plain = open.replaceAll("\\\\", "\\");
    assert.ok(
      gone.some((word) => plain.includes(word)),
      `the report without --redact says none of ${gone.join(", ")}`,
    );
    for (const word of gone) assert.ok(!closed.includes(word), `${word} is in ${closed}`);
    assert.match(closed, /"isKnown":true/);
  });
}

test("--redact leaves codes, versions, dates and bundle identifiers", async () => {
  const text = await redacted({
    "a.log": `2026-01-01 10:00:00.000 kernel: org.example.driver (26.0) returned (0xe00002e2) (-536870206) (3758097090) ${panicked("Stick")}\n`,
  });
  for (const word of ["2026-01-01", "org.example.driver", "(26.0)", "(0xe00002e2)", "(3758097090)"])
    assert.ok(text.includes(word), word);
});
