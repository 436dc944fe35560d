// What the doctor says that Linux does with wrong descriptors, held against what a Linux guest does with them.
//
// A slice in one boot; npm run endurance -- descriptors-guest shows it every fault of the planted ones.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { judgeDescriptors } from "../../src/descriptors/descriptor-set.ts";
import { faultKnowledge } from "../../src/descriptors/hosts.ts";
import {
  type Example,
  examples,
  type Planted,
  planted,
  plantedGiven,
} from "../../src/test/planted-descriptors.ts";
import { DescriptorGuest, descriptorGuestSkip, type GuestVerdict } from "../descriptor-guest.ts";

/** One of each way in which a sentence can be right: words in the log, silence, no device, no configuration, no driver. */
const slice: readonly (readonly [kind: string, of: keyof typeof examples])[] = [
  ["total-too-large", "keyboard"],
  ["duplicate-endpoint", "modem"],
  ["no-configuration", "disk at high speed"],
  ["power-too-much", "modem"],
  ["companion-missing", "UAS disk at SuperSpeed"],
  ["hid-descriptor-missing", "keyboard"],
  ["storage-endpoints", "disk at high speed"],
  ["cdc-header-missing", "ECM adapter"],
  ["cdc-header-missing", "NCM adapter"],
  ["report-no-application", "keyboard"],
];
const isWhole = process.env.DRYDOCK_DESCRIPTORS_GUEST !== undefined;
const asked = planted
  .filter(({ kind, of }) => isWhole || slice.some(([name, example]) => name === kind && example === of))
  .slice(0, Number(process.env.DRYDOCK_DESCRIPTORS_GUEST ?? Number.POSITIVE_INFINITY));

/** Which driver of Linux an example is for, as sentences call it. */
const driverOf: Readonly<Record<keyof typeof examples, string>> = {
  keyboard: "HID",
  "keyboard and mouse": "HID",
  "disk at high speed": "storage",
  "UAS disk at SuperSpeed": "storage",
  modem: "ACM",
  "NCM adapter": "NCM",
  "ECM adapter": "ECM",
  microphone: "audio",
};

/** 5 is "notice", which is what usbcore says of descriptors. */
const worstOrdinary = 5;
/** Numbers of devices and drivers differ from one attachment to the next. */
const plain = (text: string): string =>
  text.replaceAll(/[0-9A-F]{4}:[0-9A-F]{4}:[0-9A-F]{4}\.[0-9A-F]{4}/g, "DEVICE").replaceAll(/\d+/g, "N");
/** Not about descriptors: the guest's own affairs, and what every attempt brings. */
const ordinary =
  /^(?:random: crng|IPv6:|hid_parser_main: \d+ callbacks|hrtimer:|clocksource:|vhci_hcd)|attempt power cycle|callbacks suppressed/;

function newLines(verdict: GuestVerdict, clean: GuestVerdict): GuestVerdict["lines"] {
  const known = new Set(clean.lines.map(({ text }) => plain(text)));
  return verdict.lines.filter(({ text }) => !known.has(plain(text)) && !ordinary.test(text));
}

/** The quoted words of a sentence; dots stand for anything. */
function wordsOf(does: string): RegExp[] {
  return [...does.matchAll(/"([^"]+)"/g)].map(
    ([, words]) =>
      new RegExp(
        words
          .split("...")
          .map((part) => part.trim().replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"))
          .join(".*"),
        "i",
      ),
  );
}

/** The part of a sentence that speaks of this example's driver; the whole where none is named. */
function partFor(does: string, driver: string): string {
  const parts = does.split("; ").filter((part) => /\bits (?:\w+ and )?\w+ drivers?\b/.test(part));
  return parts.find((part) => new RegExp(`\\b${driver}\\b`).test(part)) ?? (parts.length > 0 ? "" : does);
}

/** What of a sentence is not so; empty: the guest agrees. */
function disagreements(one: Planted, verdict: GuestVerdict, clean: GuestVerdict): string[] {
  const { example, given } = plantedGiven(one);
  const { does, mark } = faultKnowledge[one.kind].linux;
  const wrong: string[] = [];
  if (mark === "unknown") return ["the sentence is missing"];
  const part = partFor(does, driverOf[one.of]);
  const lines = newLines(verdict, clean);
  // What else is wrong with these descriptors has sentences of its own.
  const others = judgeDescriptors({ name: "", speed: example.speed, given })
    .filter(({ kind }) => kind !== one.kind)
    .flatMap(({ kind }) => wordsOf(faultKnowledge[kind].linux.does));
  const complaints = lines.filter(
    ({ level, text }) => level <= worstOrdinary && !others.some((words) => words.test(text)),
  );
  const words = wordsOf(part);
  const isSaid = words.some((each) => lines.some(({ text }) => each.test(text)));
  const maySilent = /without a word/.test(part);
  if (words.length > 0 && !isSaid && !(maySilent && complaints.length === 0))
    wrong.push(`none of ${words.join(", ")} was said`);
  if (words.length === 0 && maySilent && complaints.length > 0)
    wrong.push(`it was not silent: ${complaints.map(({ text }) => text).join("; ")}`);
  const isThere = verdict.configuration !== null;
  if (isThere === /^refuses the device/.test(part)) wrong.push(isThere ? "it came up" : "it did not come up");
  if (isThere && (verdict.configuration === "") !== /^does not choose/.test(part))
    wrong.push(`configuration "${verdict.configuration}"`);
  const bound = (of: GuestVerdict): number =>
    Object.values(of.interfaces).filter(({ driver }) => driver !== "").length;
  const isBound = bound(verdict) >= bound(clean);
  if (/\bdrivers? do(?:es)? not bind/.test(part) && isBound) wrong.push("its driver binds");
  if (/\bdrivers? binds?\b|\bdoes without\b|\bby itself\b/.test(part) && !isBound)
    wrong.push("its driver does not bind");
  return wrong;
}

describe("a Linux guest and wrong descriptors", { skip: descriptorGuestSkip }, () => {
  let guest: DescriptorGuest;
  const cleans = new Map<string, GuestVerdict>();
  before(async () => {
    guest = await DescriptorGuest.boot();
  });
  after(async () => {
    await guest?.stop();
  });

  test("the examples come up without a complaint, each with its driver", async () => {
    for (const name of new Set(asked.map(({ of }) => of))) {
      const example: Example = examples[name];
      const verdict = await guest.clean(example);
      cleans.set(name, verdict);
      assert.equal(verdict.configuration, "1", name);
      assert.ok(
        Object.values(verdict.interfaces).every(({ driver }) => driver !== ""),
        name,
      );
    }
  });

  test(`${asked.length} faults: Linux does what the doctor says`, async (context) => {
    assert.ok(asked.length >= 10, String(asked.length));
    const wrong: string[] = [];
    for (const one of asked) {
      const { example, given } = plantedGiven(one);
      const verdict = await guest.verdict(example, given);
      const clean = cleans.get(one.of);
      assert.ok(clean !== undefined);
      for (const text of disagreements(one, verdict, clean))
        wrong.push(`${one.kind}, ${one.of}, ${one.what}: ${text}`);
    }
    assert.deepEqual(wrong, []);
    const kinds = new Set(asked.map(({ kind }) => kind)).size;
    context.diagnostic(
      `descriptors: ${asked.length} faults of ${kinds} kinds in ${cleans.size} devices agree`,
    );
  });
});
