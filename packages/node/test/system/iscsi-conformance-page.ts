// What iscsi-test-cu printed, read; and the page that is made of it.

import assert from "node:assert/strict";
import type { ScsiUnitOptions } from "@drydock/core/devices/scsi-disk/unit-options";

export interface RunPlan {
  readonly unit: ScsiUnitOptions;
  /** Families, or `Family.Test`. */
  readonly tests: readonly string[];
  readonly flags?: readonly string[];
  /** The unit is a logical drive behind our MegaRAID driver and model. */
  readonly isBehindAdapter?: boolean;
}

export interface TestResult {
  passed: boolean;
  /** What the suite says it left out. */
  readonly skips: string[];
  /** Lines marked FAILED, and assertions. */
  readonly failures: string[];
}

export interface Run {
  readonly plan: RunPlan;
  /** By `Family.Test`. */
  readonly results: ReadonlyMap<string, TestResult>;
}

/** What runs, in words for the page. */
export function unitText(unit: ScsiUnitOptions): string {
  const words = [`${unit.blockCount} blocks of 512 bytes`];
  if (unit.isWriteProtected === true) words.push("write protected");
  if (unit.isRemovable === true) words.push("removable");
  if (unit.physicalExponent !== undefined) words.push(`${1 << unit.physicalExponent} in a physical block`);
  if (unit.writesSameToEnd === true) words.push("WSNZ 0");
  if (unit.hasLongCommands === true) words.push("32-byte commands");
  return words.join(", ");
}

/** Output of `iscsi-test-cu -v -V`. Throws when the summary does not count what was read. */
export function readRun(plan: RunPlan, text: string): Run {
  const results = new Map<string, TestResult>();
  let family = "";
  let current: TestResult | null = null;
  for (const line of text.split("\n")) {
    family = /^Suite: (\S+)/.exec(line)?.[1] ?? family;
    const begun = /^ {2}Test: (\S+) \.\.\.(.*)$/.exec(line);
    if (begun !== null) {
      current = { passed: false, skips: [], failures: [] };
      results.set(`${family}.${begun[1]}`, current);
    }
    if (current === null) continue;
    const rest = (begun?.[2] ?? line).trim();
    if (/^passed/.test(rest)) {
      current.passed = true;
      current = null;
      continue;
    }
    const skipped = /^\[SKIPP(?:ED|ING)\]\s*(.*)$/.exec(rest)?.[1];
    if (skipped !== undefined) current.skips.push(skipped);
    const failed = /^\[FAILED\]\s*(.*)$/.exec(rest)?.[1];
    if (failed !== undefined) current.failures.push(failed);
    const asserted = /^\d+\. \S+:\d+ {2}- CU_FAIL\("(.*)"\)/.exec(rest)?.[1];
    if (asserted !== undefined) current.failures.push(asserted);
  }
  const summary = /tests\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)/.exec(text);
  assert.ok(summary !== null, `no summary: ${text.slice(-2000)}`);
  const passed = [...results.values()].filter((result) => result.passed).length;
  assert.deepEqual(
    [Number(summary[2]), Number(summary[3])],
    [results.size, passed],
    "the summary counts other tests than were read",
  );
  return { plan, results };
}

/** Tests of a unit behind the adapter may leave out what it refuses, and nothing else that it does not leave out elsewhere. */
const adapterRefuses = /^PROUT Not Supported|^PERSISTENT RESERVE IN is not implemented/;

function adapterPart({ plan, results }: Run, elsewhere: readonly Run[]): string {
  let skipping = 0;
  for (const [title, { skips }] of results) {
    if (skips.length === 0) continue;
    skipping++;
    const known = elsewhere.flatMap((run) => run.results.get(title)?.skips ?? []);
    for (const message of skips)
      assert.ok(
        known.includes(message) || adapterRefuses.test(message),
        `${title} behind the adapter leaves something out: ${message}`,
      );
  }
  return `## Behind a host adapter

The same suite on a logical drive behind our MegaRAID driver and model (\`rigs/hba-target.ts\`): ${unitText(plan.unit)}. Of ${results.size} tests
**${results.size - skipping} pass whole, ${skipping} skip a part or all of themselves, none fails.** An adapter is one initiator, so reservations are
refused there (5/20/00): whoever came through it would hold what another one reserved.`;
}

/** Why a test leaves something out on each unit that it ran on. */
const reasons: readonly (readonly [RegExp, string])[] = [
  [/LBPPB < 2/, "wants several blocks in a physical one, and is wrong there (below)"],
  [/is not removable/, "wants a removable medium, and is wrong there (below)"],
  [/No (alignment|granularity) restrictions/, "WRITE ATOMIC has no such restriction here"],
];

const notRun: Readonly<Record<string, string>> = {
  "Sanitize.Reset":
    "sleeps for 60 s until a sanitize that outlasts resets is over; ours is over before its status, which SBC-3 §5.24 leaves free",
};

const faults = `## What the suite gets wrong

Each of these is run where it is wrong, and must fail in its own words; where the test is right, it passes.

| Test | Where it fails | Why |
|---|---|---|
| CompareAndWrite.Simple, .Miscompare | more than 255 blocks | counts to 256 in the 8-bit NUMBER OF LOGICAL BLOCKS, so that 0 is sent, and wants a refusal; 0 blocks are no error (SBC-3 §5.2). libiscsi corrected it in its commit 33c66f2, after the release that Debian has |
| CompareAndWrite.InvalidDataOutSize | several blocks in a physical one | changes the count in every PDU that is not a command, so that the command keeps its own count and ends with MISCOMPARE |
| GetLBAStatus.UnmapSingle | several blocks in a physical one | asks for the status of block i + 1 and wants a descriptor that begins elsewhere; the first descriptor begins at the block asked for (SBC-3 §5.4) |
| ReportSupportedOpcodes.OneCommand | with 32-byte commands | libiscsi keeps 16 bytes of usage data and drops longer ones, so that the test reads zeros |
| StartStopUnit.NoLoej | removable | wants a unit ready that START STOP UNIT has just stopped; it is not (4/04/02, SBC-3 §5.25) |
| StartStopUnit.PwrCnd | removable | sends every power condition from 1 to Fh and wants all of them taken; 4 to 6, 8, 9 and Ch to Fh are reserved (SBC-3 §5.25) |
| WriteSame10, WriteSame16.InvalidDataOutSize | several blocks in a physical one | wants a refusal of more data than the command takes; iSCSI answers it with a residual count (RFC 7143 §11.4.5) |
| WriteSame10.UnmapUntilEnd | WSNZ 0 | unmaps with a block of FFh and wants zeros; where unmapped blocks read as zeros, other data is written (SBC-3 §5.43) |
`;

/** Throws for a test that ran nowhere or left something out for a reason that is not known. */
export function conformancePage(allTests: readonly string[], runs: readonly Run[], adapter: Run): string {
  const byReason = new Map<string, string[]>();
  let whole = 0;
  let partly = 0;
  for (const title of allTests) {
    const results = runs.flatMap(({ results }) => results.get(title) ?? []);
    if (results.length === 0) {
      assert.ok(notRun[title] !== undefined, `${title} did not run and nothing says why`);
      continue;
    }
    if (results.some(({ skips }) => skips.length === 0)) {
      whole++;
      continue;
    }
    partly++;
    for (const message of new Set(results.flatMap(({ skips }) => skips))) {
      const reason = reasons.find(([pattern]) => pattern.test(message))?.[1];
      assert.ok(
        reason !== undefined,
        `${title} left something out, and the page has no reason for "${message}"`,
      );
      const titles = byReason.get(reason) ?? [];
      if (!titles.includes(title)) titles.push(title);
      byReason.set(reason, titles);
    }
  }
  for (const [, reason] of reasons)
    assert.ok(byReason.has(reason), `nothing is skipped because "${reason}" any more`);
  const absent = Object.entries(notRun).filter(([title]) => allTests.includes(title));
  const table = runs.map(({ plan, results }) => {
    const skipping = [...results.values()].filter(({ skips }) => skips.length > 0).length;
    return `| ${[unitText(plan.unit), ...(plan.flags ?? [])].join(", ")} | ${results.size} | ${results.size - skipping} | ${skipping} | 0 |`;
  });
  const skipTable = [...byReason].map(([reason, titles]) => `| ${titles.join(", ")} | ${reason} |`);
  return `# iSCSI conformance

Made by \`npm run test:system -- iscsi-conformance\` from what ran; the test compares this page with its run.

\`iscsi-test-cu\` of Debian's \`libiscsi-bin\` on our target, data loss allowed, two paths to one logical unit. Of its
**${allTests.length} tests ${whole} pass whole, ${partly} skip a part or all of themselves, ${absent.length} was not run, none fails.** What one unit
cannot show is run on another, so a test may count in several rows.

| Unit | Tests | Pass whole | Skip | Fail |
|---|---|---|---|---|
${table.join("\n")}

## What is skipped

| Tests | Reason |
|---|---|
${[...skipTable, ...absent.map(([title, reason]) => `| ${title} | ${reason} |`)].join("\n")}

${adapterPart(adapter, runs)}

${faults}`;
}
