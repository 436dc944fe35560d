// drydock explore and soak: threads and one process say the same, states go on or are refused, printed lines replay.

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { CampaignReport } from "@drydock/core/trials/campaign-book";
import type { ExploreState } from "@drydock/core/trials/explore";
import type { SoakState } from "@drydock/core/trials/soak-book";
import { recordedIo } from "../test/recorded-io.ts";
import { everyExplorable } from "./actions/explorable-list.ts";
import { commandTable } from "./command-table.ts";
import { runCommandLine } from "./grammar/command-line.ts";

const folder = mkdtempSync(join(tmpdir(), "drydock-trials-"));
after(() => rmSync(folder, { recursive: true, force: true }));

async function drydock(line: string): Promise<{ code: number; out: string; said: string }> {
  const io = recordedIo();
  const code = await runCommandLine(commandTable, line.split(" ").slice(1), io);
  return { code, out: io.printed(), said: io.said() };
}

test("everything that can be explored is a word of the command", async () => {
  for (const { name } of everyExplorable) {
    const { code } = await drydock(`drydock explore ${name} --most 1 --json`);
    assert.ok(code === 0 || code === 1, name);
  }
});

test("P14's bad driver: panics, lucky reads with call sites, the window of its Stop, and a line that shows it again", async () => {
  const threads = await drydock("drydock explore p14-bad --seed 3 --workers 2");
  const alone = await drydock("drydock explore p14-bad --seed 3 --workers 1");
  assert.equal(threads.code, 1);
  assert.equal(threads.out, alone.out);
  assert.match(threads.out, /^step \d+: panic: LLC Bus error/m);
  assert.match(
    threads.out,
    /BAR0\+0x8 by P14Driver::InterruptOccurred_Impl: missed the dead link, and the panic, by/,
  );
  assert.match(
    threads.out,
    /^teardown by stop: "adapter's counters" was unmapped while the device could still write: a window of/m,
  );
  assert.match(threads.out, /drydock explain DR14-3$/m);
  const again = /^again: (drydock explore .*)$/m.exec(threads.out)?.[1] ?? "";
  const shown = await drydock(again);
  assert.equal(shown.code, 1);
  assert.match(shown.out, /panic: LLC Bus error/);
});

test("P14's good driver: no panic, no lucky read, every way out in the right order", async () => {
  const { code, out } = await drydock("drydock explore p14-good --seed 3");
  assert.equal(code, 0, out);
  assert.match(out, /nothing was left behind, nothing panicked/);
  assert.match(out, /^teardown by stop: in order: bus master on, bus master off, unmap/m);
  assert.doesNotMatch(out, /lucky/);
});

test("an exploration goes on from its state; a newer version's is refused, and why", async () => {
  const state = join(folder, "nvme.explore");
  await drydock(`drydock explore nvme --most 30 --state ${state}`);
  const rest = await drydock(`drydock explore nvme --most 40 --state ${state} --json`);
  assert.equal((JSON.parse(rest.out) as ExploreState).next, 71);
  const read = JSON.parse(readFileSync(state, "utf8")) as ExploreState;
  writeFileSync(state, JSON.stringify({ ...read, version: 99 }));
  const newer = await drydock(`drydock explore nvme --state ${state}`);
  assert.equal(newer.code, 2);
  assert.match(newer.said, /written by a newer version \(99, this one knows 2\)/);
  const other = await drydock("drydock explore serial --way-out stop");
  assert.equal(other.code, 2);
  assert.match(other.said, /no way out to try/);
});

test("a planted fault is found in every seed, shrunk, and the printed line shows it again", async () => {
  const terms = "--hours 0.2 --per-hour 2000 --plug-every 0 --lose-writes-after 0.1";
  const found = await drydock(`drydock soak nvme ${terms} --seed 1 --seeds 3 --workers 2`);
  assert.equal(found.code, 1);
  const lines = found.out.match(/drydock soak nvme --seed \d .*--only [\d,]+/g) ?? [];
  assert.equal(lines.length, 3);
  for (const line of lines) {
    const again = await drydock(line);
    assert.equal(again.code, 1, again.out);
    assert.match(again.out, /block \d+ reads/);
  }
});

test("a soak goes on from its state as if it had never stopped; another soak's or a newer state is refused", async () => {
  const terms = "--hours 0.1 --per-hour 1000 --plug-every 30";
  const whole = await drydock(`drydock soak storage ${terms} --seeds 3 --workers 1 --json`);
  const state = join(folder, "storage.soak");
  await drydock(`drydock soak storage ${terms} --seeds 2 --state ${state}`);
  const rest = await drydock(`drydock soak storage ${terms} --seeds 3 --state ${state} --json`);
  assert.equal(whole.code, 0);
  assert.deepEqual(JSON.parse(rest.out), JSON.parse(whole.out));
  const other = await drydock(`drydock soak storage --hours 0.1 --seeds 3 --state ${state}`);
  assert.equal(other.code, 2);
  assert.match(other.said, /begun with other hours/);
  const read = JSON.parse(readFileSync(state, "utf8")) as SoakState;
  writeFileSync(state, JSON.stringify({ ...read, version: 2 }));
  const newer = await drydock(`drydock soak storage ${terms} --seeds 3 --state ${state}`);
  assert.equal(newer.code, 2);
  assert.match(newer.said, /newer version \(2, this one knows 1\)/);
  assert.equal((await drydock("drydock soak nvme --hours 10000 --per-hour 1000000")).code, 2);
});

test("a campaign: threads and one process say the same; each fault that was tried has struck; a saved plan is played again", async () => {
  const threads = await drydock("drydock campaign run keyboard --pairs 60 --workers 2 --json");
  const alone = await drydock("drydock campaign run keyboard --pairs 60 --workers 1 --json");
  assert.deepEqual([threads.code, threads.out], [0, alone.out]);
  const { findings, fired, tried } = JSON.parse(alone.out) as CampaignReport;
  assert.deepEqual([findings, fired], [[], tried]);
  const text = await drydock("drydock campaign run nvme --most 40 --pairs 4");
  assert.match(text.out, /^44 faults tried, 44 fired, 0 runs with findings$/m);
  const plan = join(folder, "plan.json");
  const struck = await drydock(
    `drydock campaign run nvme --strike late:interrupt:3 --strike lost:dma-write:5 --save ${plan}`,
  );
  assert.equal(struck.code, 0, struck.out);
  const played = await drydock(`drydock campaign run nvme --plan ${plan}`);
  assert.equal(played.out, struck.out);
  assert.match(struck.out, /late interrupt 3 \(message \d\), lost dma-write 5 \(0x\w+, \d+ bytes\): \w+/);
  writeFileSync(join(folder, "good.json"), readFileSync(plan));
  writeFileSync(plan, readFileSync(plan, "utf8").replace('"late"', '"later"'));
  const wrong = await drydock(`drydock campaign run nvme --plan ${plan}`);
  assert.equal(wrong.code, 2);
  assert.match(wrong.said, /no fault plan: "fault" of fault 1 is none of lost, late, wrong, doubled/);
  const never = await drydock("drydock campaign run serial --strike lost:interrupt:1");
  assert.equal(never.code, 1);
  assert.match(never.out, /not every fault struck: the run does not count/);
  const other = await drydock(`drydock campaign run raid --plan ${join(folder, "good.json")}`);
  assert.match(other.said, /is of the rig nvme, whose accesses have other numbers than those of raid/);
});

test("a campaign on a user's rig file: in threads and here, its finding shrunk into a plan that shows it again", async () => {
  const rig = fileURLToPath(new URL("../test/patient.rig.ts", import.meta.url));
  const plans = join(folder, "plans");
  const threads = await drydock(`drydock campaign run ${rig} --pairs 6 --workers 2 --json`);
  const alone = await drydock(`drydock campaign run ${rig} --pairs 6 --workers 1 --json --findings ${plans}`);
  assert.deepEqual([threads.code, alone.code, threads.out], [1, 1, alone.out]);
  const { findings, fired, tried } = JSON.parse(alone.out) as CampaignReport;
  assert.deepEqual([fired, tried > 20], [tried, true]);
  assert.match(findings[0]?.rule ?? "", /waits for ever/);
  const [plan] = readdirSync(plans);
  const again = await drydock(`drydock campaign run ${rig} --plan ${join(plans, plan ?? "")}`);
  assert.equal(again.code, 1, again.out);
  assert.match(again.out, /lost transfer \d+ .*: |waits for/);
  const other = await drydock(`drydock campaign run keyboard --plan ${join(plans, plan ?? "")}`);
  assert.match(other.said, /is of the rig scale/);
});
