// What the rigs' evidence writer writes, the doctor reads back without loss: seeded facts in, the same facts out.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "@drydock/core/base/random";
import {
  type CrashFacts,
  writeCrashReport,
  writeLegacyCrashReport,
} from "@drydock/core/platform/evidence/crash-report";
import type { EvidenceFile } from "@drydock/core/platform/evidence/evidence-file";
import { type PanicFacts, panicString, writePanicReport } from "@drydock/core/platform/evidence/panic-report";
import {
  formatRegistryPlist,
  formatRegistryTree,
  type RegistrySnapshot,
} from "@drydock/core/platform/evidence/registry-dump";
import type { LogLevel, LogRow } from "@drydock/core/platform/log-row";
import { calendar, formatLog, type LogStyle } from "@drydock/core/platform/log-text";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import type { Properties, PropertyValue } from "@drydock/core/platform/properties";
import { sourceOfText } from "../facts/evidence-source.ts";
import type { RegistryEntry } from "../facts/registry-entry.ts";
import { collectEvidence } from "./collect.ts";
import type { Evidence } from "./evidence.ts";
import { parseLogRow } from "./log-row.ts";
import { watch } from "./watch.ts";

const profile = platformProfile("macos15");
const rounds = 60;

async function read(text: string): Promise<Evidence> {
  const evidence = await collectEvidence([sourceOfText("x", text)], []);
  assert.deepEqual(evidence.files[0].problems, []);
  return evidence;
}

const one = <Item>(items: readonly Item[]): Item => {
  assert.equal(items.length, 1);
  return items[0];
};

function word(random: Random): string {
  return Array.from({ length: random.between(1, 12) }, () =>
    String.fromCharCode(0x61 + random.below(26)),
  ).join("");
}

function crashFactsOf(random: Random): CrashFacts {
  const process = `org.example.${word(random)}`;
  const isAccess = random.chance(0.5);
  const address = random.between(0, 0xffff_ffff);
  const queue = random.chance(0.5) ? word(random) : null;
  return {
    processName: process,
    processPath: `/Library/SystemExtensions/${word(random)}/${process}.dext/${process}`,
    bundleIdentifier: process,
    bundleVersion: `${random.below(9)}.${random.below(9)}`,
    pid: random.between(2, 99_999),
    timeNs: random.below(1e6) * 1e9 + random.below(1000) * 1e6,
    exceptionType: isAccess ? "EXC_BAD_ACCESS" : "EXC_BREAKPOINT",
    signal: isAccess ? "SIGSEGV" : "SIGTRAP",
    codes: [1, isAccess ? address : random.below(1e9)],
    subtype: isAccess ? `KERN_INVALID_ADDRESS at 0x${address.toString(16).padStart(16, "0")}` : null,
    threadName: word(random),
    queueName: queue,
    frames: Array.from({ length: random.between(1, 20) }, () => ({
      image: random.chance(0.5) ? "DriverKit" : process,
      symbol: `${word(random)}::${word(random)}(unsigned long, ${word(random)}*)`,
    })),
    information: random.chance(0.5)
      ? { "libdispatch.dylib": [`BUG IN CLIENT OF ${word(random)}: ${word(random)}`, "Abort Cause 4711"] }
      : {},
  };
}

async function assertCrash(facts: CrashFacts, file: EvidenceFile, isLegacy: boolean): Promise<void> {
  const { value } = one((await read(file.text)).facts("crash"));
  const thread = one(value.threads);
  assert.equal(value.process, facts.processName);
  assert.equal(value.path, facts.processPath);
  assert.equal(value.bundleIdentifier, facts.bundleIdentifier);
  assert.equal(value.version, facts.bundleVersion);
  assert.equal(value.pid, facts.pid);
  assert.equal(value.osVersion, profile.osVersion);
  assert.equal(value.product, profile.modelCode);
  assert.equal(value.exceptionType, facts.exceptionType);
  assert.equal(value.signal, facts.signal);
  assert.equal(value.address, facts.exceptionType === "EXC_BAD_ACCESS" ? facts.codes[1] : null);
  if (facts.subtype !== null) assert.equal(value.codes, facts.subtype);
  // The text form prints the subtype in place of the numbers.
  if (!isLegacy || facts.subtype === null) assert.deepEqual(value.rawCodes, facts.codes);
  assert.ok(value.time.startsWith(calendar(facts.timeNs).slice(0, 23)), value.time);
  assert.deepEqual(value.information, Object.values(facts.information).flat());
  assert.deepEqual(
    thread.frames.map(({ image, symbol }) => ({ image, symbol })),
    facts.frames,
  );
  assert.equal(thread.queue, facts.queueName ?? "");
  // The text form has one place for the thread's name or its queue.
  if (!isLegacy || facts.queueName === null) assert.equal(thread.name, facts.threadName);
  assert.ok(thread.isTriggered && value.isDext);
}

test(`${rounds} crash reports, as JSON and as text, are read back`, async () => {
  const random = new Random(4);
  for (let round = 0; round < rounds; round++) {
    const facts = crashFactsOf(random);
    await assertCrash(facts, writeCrashReport(facts, profile, random), false);
    await assertCrash(facts, writeLegacyCrashReport(facts, profile, random), true);
  }
});

test(`${rounds} panic reports, in their envelope and as bare text, are read back`, async () => {
  const random = new Random(5);
  for (let round = 0; round < rounds; round++) {
    const source = random.chance(0.5) ? ` @${word(random)}.cpp:${random.between(1, 9999)}` : "";
    const facts: PanicFacts = {
      text: `"${word(random)}" (0x${random.next32().toString(16)}) {${word(random)}}\n\t${word(random)} \\ é${source}`,
      timeNs: random.below(1e6) * 1e9,
      panickedTask: word(random),
      panickedPid: random.below(1000),
      processes: Object.fromEntries(
        Array.from({ length: random.between(1, 8) }, (_, index) => [String(index * 7), word(random)]),
      ),
    };
    const whole = one((await read(writePanicReport(facts, profile, random).text)).facts("panic")).value;
    const bare = one((await read(panicString(facts, profile, random))).facts("panic")).value;
    for (const value of [whole, bare]) {
      assert.equal(value.message, facts.text);
      assert.equal(value.panickedTask, facts.panickedTask);
      assert.equal(value.panickedPid, facts.panickedPid);
      assert.equal(value.source, source.slice(2));
      assert.equal(value.osVersion, profile.osBuild);
      assert.deepEqual(value.loadedKexts, ["com.apple.filesystems.apfs"]);
      assert.equal(value.isForcedReset, false);
    }
    assert.equal(whole.product, profile.modelCode);
    assert.ok(whole.time.startsWith(calendar(facts.timeNs).slice(0, 22)));
    assert.deepEqual(
      whole.processes,
      Object.entries(facts.processes).map(([pid, name]) => ({ pid: Number(pid), name })),
    );
  }
});

function propertyOf(random: Random, depth: number): PropertyValue {
  const kind = random.below(depth > 2 ? 4 : 6);
  if (kind === 0) return `${word(random)} <&> ${word(random)}, (x) = {y}`;
  if (kind === 1) return random.below(2 ** 31) * 2 ** random.below(21);
  if (kind === 2) return random.chance(0.5);
  if (kind === 3) return Uint8Array.from({ length: random.below(20) }, () => random.below(256));
  if (kind === 4) return Array.from({ length: random.below(4) }, () => propertyOf(random, depth + 1));
  return propertiesOf(random, depth + 1);
}

function propertiesOf(random: Random, depth: number): Properties {
  return Object.fromEntries(
    Array.from({ length: random.below(5) }, (_, index) => [
      `${word(random)}-${index}`,
      propertyOf(random, depth),
    ]),
  );
}

function snapshotOf(random: Random, depth: number): RegistrySnapshot {
  return {
    name: `${word(random)} ${word(random)}`,
    location: random.chance(0.5) ? random.next32().toString(16) : "",
    className: `IO${word(random)}`,
    id: 0x1_0000_0000 + random.next32(),
    registered: random.chance(0.5),
    matched: random.chance(0.5),
    active: random.chance(0.9),
    busy: random.below(3),
    busyMs: random.below(100_000),
    retain: random.between(1, 60),
    properties: propertiesOf(random, 0),
    children: depth > 5 ? [] : Array.from({ length: random.below(4) }, () => snapshotOf(random, depth + 1)),
  };
}

interface FlatEntry {
  readonly entry: RegistrySnapshot;
  readonly parents: readonly string[];
}

function flat(entry: RegistrySnapshot, parents: readonly string[] = []): FlatEntry[] {
  return [{ entry, parents }, ...entry.children.flatMap((child) => flat(child, [...parents, entry.name]))];
}

function assertEntries(found: readonly RegistryEntry[], wanted: readonly FlatEntry[]): void {
  assert.equal(found.length, wanted.length);
  found.forEach((value, index) => {
    const { entry, parents } = wanted[index];
    assert.deepEqual(
      { name: value.name, location: value.location, className: value.className, id: value.id },
      { name: entry.name, location: entry.location, className: entry.className, id: entry.id },
    );
    assert.equal(
      value.state,
      [
        entry.registered ? "registered" : "!registered",
        entry.matched ? "matched" : "!matched",
        entry.active ? "active" : "inactive",
        `busy ${entry.busy} (${entry.busyMs} ms)`,
        `retain ${entry.retain}`,
      ].join(", "),
    );
    assert.deepEqual(value.properties, entry.properties);
    assert.deepEqual(
      value.parents.map((parent) => parent.name),
      parents,
    );
  });
}

test(`${rounds} registries, as ioreg -l and as ioreg -a, are read back: every entry, its state, properties and parents`, async () => {
  const random = new Random(6);
  for (let round = 0; round < rounds; round++) {
    const root = snapshotOf(random, 0);
    const wanted = flat(root);
    for (const text of [formatRegistryTree(root), formatRegistryPlist(root)]) {
      const entries = (await read(text)).facts("registry-entry").map(({ value }) => value);
      assertEntries(entries, wanted);
    }
  }
});

const levels: readonly LogLevel[] = ["default", "info", "debug", "error", "fault"];

function rowOf(random: Random): LogRow {
  const isKernel = random.chance(0.5);
  const hasSubsystem = random.chance(0.5);
  return {
    timeNs: random.below(1e6) * 1e6,
    level: levels[random.below(levels.length)],
    process: isKernel ? "kernel" : word(random),
    pid: isKernel ? 0 : random.between(1, 9999),
    sender: random.chance(0.5) ? `org.example.${word(random)}.dext` : "",
    subsystem: hasSubsystem ? `com.example.${word(random)}` : "",
    category: hasSubsystem ? word(random) : "",
    message: `needle ${word(random)}: [${word(random)}] (x) "q" \\ ${random.next32()}`,
  };
}

for (const style of ["default", "compact", "syslog", "json", "ndjson"] satisfies LogStyle[]) {
  test(`a log in the style ${style} is read back row by row`, async () => {
    const random = new Random(7);
    const rows = Array.from({ length: 150 }, () => rowOf(random));
    const needle = watch(["needle "], /needle /);
    const evidence = await collectEvidence([sourceOfText("x", formatLog(rows, style))], [needle]);
    const hits = evidence.hits(needle);
    assert.equal(hits.length, rows.length);
    hits.forEach(({ row }, index) => {
      const wanted = rows[index];
      const { process, pid, sender, subsystem, category, message } = row;
      assert.deepEqual(
        { process, pid, sender, subsystem, category, message },
        {
          process: wanted.process,
          pid: wanted.pid,
          sender: wanted.sender,
          subsystem: wanted.subsystem,
          category: wanted.category,
          message: wanted.message,
        },
      );
      const digits = style === "compact" ? 23 : 26;
      assert.equal(row.time.slice(0, digits), calendar(wanted.timeNs).slice(0, digits));
      if (style !== "syslog") assert.equal(row.level.toLowerCase(), wanted.level);
    });
  });
}

test("a row is a row in each style that has one line for it", () => {
  const row = rowOf(new Random(8));
  for (const style of ["default", "compact", "syslog", "ndjson"] satisfies LogStyle[]) {
    const line = formatLog([row], style).trimEnd().split("\n").at(-1) as string;
    assert.equal(parseLogRow(line).style, style === "ndjson" ? "json" : style);
  }
});
