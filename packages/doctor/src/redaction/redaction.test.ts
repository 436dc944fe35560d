// 300 planted secrets in ten kinds of evidence: gone wherever they stand, consistent, and little else with them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { diagnose } from "../diagnose.ts";
import { sourceOfText } from "../facts/evidence-source.ts";
import { plist } from "../test/samples.ts";
import { sampleProfile } from "../test/signed-samples.ts";
import { redactFile } from "./redacted-file.ts";
import { RedactionLedger, redactText } from "./redacted-text.ts";

const letters = "BCDFGHJKLM";
const team = (n: number) =>
  `${letters[n % 10]}${letters[(n * 3) % 10]}12${letters[(n * 7) % 10]}${n % 10}4XYZ`;
/** Kind of evidence -> a text with the secret in its place, and the secret. */
const planted: Readonly<Record<string, (n: number) => readonly [text: string, secret: string]>> = {
  "a list of extensions": (n) => [
    `*\t*\t${team(n)}\tnet.sample.d${n} (1/1)\tx\t[activated enabled]`,
    team(n),
  ],
  "a profile's key": (n) => [
    `<key>TeamIdentifier</key>\n<array>\n<string>${team(n)}</string></array>`,
    team(n),
  ],
  "a signer": (n) => [
    `signer "Apple Development: jo${n}.doe@firm${n}.example (${team(n)})"`,
    `jo${n}.doe@firm${n}.example`,
  ],
  "a certificate": (n) => [
    `Authority=Developer ID Application: Sample Person${n} Ltd (${team(n)})`,
    `Sample Person${n} Ltd`,
  ],
  "a path": (n) => [`dyld: /Users/erika${n}m/Library/x.dylib not loaded`, `erika${n}m`],
  "a syslog row": (n) => [
    `2026-11-20 10:00:00.000000+0100  erikas-desk${n} kernel[0]: (x.dext) hello`,
    `erikas-desk${n}`,
  ],
  "a registry's serial number": (n) => [`"IOPlatformSerialNumber" = "C02XY${n}ABCD"`, `C02XY${n}ABCD`],
  "a device id": (n) => [
    `device 00008103-000A${String(n).padStart(4, "0")}2222333A is not listed`,
    `00008103-000A${String(n).padStart(4, "0")}2222333A`,
  ],
  "a hardware address": (n) => [
    `en0 ether a4:83:e7:12:34:${(n + 16).toString(16)}`,
    `a4:83:e7:12:34:${(n + 16).toString(16)}`,
  ],
  "an address of IPv6": (n) => [
    `peer fe80::1c2d:3e4f:${(n + 4096).toString(16)}:1%en0 is up`,
    `fe80::1c2d:3e4f:${(n + 4096).toString(16)}:1`,
  ],
};

for (const [kind, plant] of Object.entries(planted)) {
  test(`30 secrets of ${kind} are gone, here and elsewhere in the text`, () => {
    const ledger = new RedactionLedger();
    const all = Array.from({ length: 30 }, (_item, index) => plant(index));
    const out = redactText(
      `${all.map(([text]) => text).join("\n")}\nagain: ${all.map(([, secret]) => secret).join(" , ")}\n`,
      ledger,
    );
    for (const [, secret] of all)
      assert.equal(out.includes(secret), false, `${secret} is left in\n${out.slice(0, 600)}`);
    assert.equal(redactText(out, ledger), out, "what is redacted stays as it is");
  });
}

test("the same secret has the same pseudonym in two files, another has another", () => {
  const ledger = new RedactionLedger();
  const first = redactText("/Users/erika/x and (AB12CD34EF)", ledger);
  const second = redactText('teamID("AB12CD34EF") of /Users/erika/y and /Users/jonas/z', ledger);
  assert.equal(first, "/Users/user1/x and (TEAMX00001)");
  assert.equal(second, 'teamID("TEAMX00001") of /Users/user1/y and /Users/user2/z');
});

test("source, times, versions, codes and bundle ids stay", () => {
  const text = `#include <DriverKit/IOService.iig>
kern_return_t IMPL(Widget, Start) { return std::max(a::b, 0xe00002c5); } // 12:34:56
2026-11-20 10:11:12.131415+0100 0x3c8 Default 0x0 0 0 kernel: DK: SerialUserClient-0x1000015a3:UC failed, needed bundle ID org.example.serial.driver
macOS 15.7.1 (24G231) AppleUSB20XHCIPort@14300000 00000000-0000-0000-0000-000000000000
CDHash=0123456789abcdef0123456789abcdef01234567
`;
  assert.equal(redactText(text, new RedactionLedger()), text);
});

test("what is redacted diagnoses to the same rule", async () => {
  const texts = [
    "desk:~ erika$ log stream\n2026-11-20 14:22:07.167984+0200 0x2c40 Default 0x7b1e 611 0 <sysextd> sysextd: uninstalling invalid extension org.example.glow.keys",
    'amfid: /Users/erika/Widget.app not valid: Error Domain=AppleMobileFileIntegrityError Code=-413 "No matching profile found" signer "Apple Development: jo.doe@mail.example (AB12CD34EF)"',
    plist({
      "com.apple.developer.driverkit": true,
      "com.apple.developer.driverkit.transport.usb": true,
      "com.apple.application-identifier": "AB12CD34EF.org.example.w",
    }),
    "DK: X-0x1a:UC failed team ID check. client team=AB12CD34EF, driver team=ZY98XW76VU",
  ];
  for (const text of texts) {
    const rules = async (own: string) =>
      (await diagnose([sourceOfText("a", own)])).answers.map(({ rule }) => rule);
    const out = redactText(text, new RedactionLedger());
    assert.notEqual(out, text);
    assert.deepEqual(await rules(out), await rules(text));
  }
});

test("a signed profile becomes a list that says what no longer verifies; its bytes are not touched", async () => {
  const bytes = sampleProfile("org.example.app", { "com.apple.developer.driverkit": true });
  const before = bytes.slice();
  const { text, notes } = await redactFile("embedded.provisionprofile", bytes, new RedactionLedger());
  assert.deepEqual(bytes, before);
  assert.doesNotMatch(text, /TEAM123456|00008103-000A11112222333A/);
  assert.match(text, /com\.apple\.developer\.driverkit/);
  assert.match(notes.join(), /verifies no more/);
});

test("what cannot be redacted is refused with what to do", async () => {
  const zip = Uint8Array.from([0x50, 0x4b, 5, 6, ...new Array(18).fill(0)]);
  await assert.rejects(redactFile("a.zip", zip, new RedactionLedger()), /unpack it and give me the files/);
});

test("a damaged binary list or archive is refused in words, and nothing of it is given on", async () => {
  const damaged = new TextEncoder().encode(`bplist00${"x".repeat(60)}`);
  await assert.rejects(
    redactFile("a.plist", damaged, new RedactionLedger()),
    (error) => error instanceof RangeError && /cannot be read to its end.*plutil -p/.test(error.message),
  );
  const cut = Uint8Array.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3]);
  await assert.rejects(redactFile("a.gz", cut, new RedactionLedger()), RangeError);
});

test("a megabyte on one line is redacted in steps that do not grow", () => {
  const line = "a:b::c /Users (TEAM) ::: 1234567890 ".repeat(30_000);
  assert.equal(redactText(line, new RedactionLedger()).length, line.length);
});
