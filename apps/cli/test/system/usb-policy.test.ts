// drydock policy as people run it, and USBGuard's own parser as the opposite number of our rule language.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { readersOnlyText } from "@drydock/cases/P07-usb-policy/good-driver";
import { Random } from "@drydock/core/base/random";
import { formatRule, parsePolicy } from "@drydock/core/codec/usb-policy/usb-policy";
import { defaultStorageRig } from "@drydock/core/rigs/storage-rig";
import { writeUsbPcapng } from "@drydock/core/trace/usb-pcapng";
import { hostTurn } from "@drydock/node/host-turn";

const folder = mkdtempSync(join(tmpdir(), "drydock-policy-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const program = join(import.meta.dirname, "../../src/main.ts");
const hasParser = spawnSync("usbguard-rule-parser", ["--help"]).error === undefined;
const skip = hasParser ? false : "usbguard-rule-parser is missing: apt-get install usbguard";

/** What USBGuard makes of each line: the printed rule, or null where it stops. */
function usbguard(text: string): { status: number | null; rules: string[] } {
  const file = join(folder, "rules.conf");
  writeFileSync(file, text);
  const { status, stdout } = spawnSync("usbguard-rule-parser", ["-f", file], { encoding: "utf8" });
  const rules = stdout
    .split("\n")
    .filter((line) => line.startsWith("OUTPUT:"))
    .map((line) => line.slice(7).trim())
    .filter((line) => line !== "");
  return { status, rules };
}

/** Without rule-evaluated, which USBGuard 1.1.2 reads and prints as rule-applied. */
const samples = `# every attribute, every operator, every condition
allow 1050:0011 name "A \\"key\\"" serial "00" via-port "1-2" with-interface { 03:01:01 08:*:* } if localtime(08:00-18:00)
block with-interface one-of { 01:*:* 02:*:* }
allow with-interface match-all { 08:06:50 08:06:62 }
reject if !allowed-matches(with-interface equals { 03:01:01 })
allow *:*
allow 0781:*
allow with-interface 08:06:*
allow id 0781:5567 with-interface equals-ordered { 08:06:50 03:00:00 }
allow id one-of { 0781:5567 1234:* } if one-of { random(0.1) rule-applied(1h) true }
allow with-connect-type "hotplug" hash "abc=" parent-hash "x" label "l"
allow name "a\\x41b" if { true !false }
block with-interface none-of { 09:00:00 }
allow with-interface all-of { 03:01:01 } if rule-applied
#: read-only with-interface one-of { 08:*:* }
#: no-open "IOUSBHostInterfaceUserClient" 0403:*
block
`;

test("USBGuard reads the files that we read, and prints each rule as we do", { skip }, () => {
  for (const text of [samples, readersOnlyText]) {
    const theirs = usbguard(text);
    assert.equal(theirs.status, 0);
    assert.deepEqual(theirs.rules, parsePolicy(text).rules.map(formatRule));
    assert.ok(theirs.rules.length > 3);
  }
});

test("of 600 changed rules, those that we accept and print are read by USBGuard and printed the same", {
  skip,
}, () => {
  const random = new Random(20);
  const lines = samples.split("\n").filter((line) => /^(?:allow|block|reject)/.test(line));
  const letters = '0123456789abcdef "{}()!*:';
  let accepted = 0;
  let refused = 0;
  for (let round = 0; round < 600; round++) {
    const line = lines[random.below(lines.length)];
    const at = random.below(line.length);
    const text = `${line.slice(0, at)}${letters[random.below(letters.length)]}${line.slice(at + random.below(3))}`;
    let ours: string[];
    try {
      ours = parsePolicy(text).rules.map(formatRule);
    } catch {
      refused++;
      continue;
    }
    accepted++;
    // Printed by us: USBGuard wants its blanks exactly so, and we do not.
    const theirs = usbguard(`${ours.join("\n")}\n`);
    assert.equal(theirs.status, 0, text);
    assert.deepEqual(theirs.rules, ours, text);
  }
  assert.ok(accepted > 25 && refused > 25, `${accepted} accepted, ${refused} refused`);
});

function drydock(...args: string[]) {
  return spawnSync(process.execPath, [program, "policy", ...args], { encoding: "utf8" });
}

test("a capture against a policy: the same answer twice, what got through, 1 where it is not enforced", async () => {
  const rig = defaultStorageRig(1, hostTurn);
  await rig.openMedia();
  const capture = join(folder, "disk.pcapng");
  writeFileSync(capture, writeUsbPcapng(rig.usb.trace));
  const rules = join(folder, "block.conf");
  writeFileSync(rules, "block\n");
  const first = drydock(rules, "--against", capture, "--json");
  assert.equal(first.status, 1, first.stderr);
  assert.equal(drydock(rules, "--against", capture, "--json").stdout, first.stdout);
  const [{ platforms }] = JSON.parse(first.stdout).devices;
  const of = (id: string) => platforms.find((one: { platform: string }) => one.platform === id);
  assert.equal(of("linux").bytesBefore, 0);
  assert.ok(of("linux").bytesStopped > 0);
  assert.equal(of("ipados").isEnforced, false);
  assert.equal(of("macos15").bytesBefore + of("macos15").bytesStopped, of("linux").bytesStopped);
  const linux = drydock(rules, "--against", "disk", "--on", "linux");
  assert.equal(linux.status, 0, linux.stderr);
  assert.match(linux.stdout, /block: line 1: block\n.*\n {2}linux {4}enforced {5}not configured/);
});

test("a mistake in the file is named with line and column", () => {
  const rules = join(folder, "wrong.conf");
  writeFileSync(rules, "# rules\nallow name foo\n");
  const wrong = drydock(rules, "--against", "disk");
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /wrong\.conf:2:12: .*a name stands in quotes/);
  assert.match(
    drydock(rules.replace("wrong", "none"), "--against", "disk").stderr,
    /file cannot be read: there is no /,
  );
});
