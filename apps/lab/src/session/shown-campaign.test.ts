// A run of a campaign in the lab: the same run as the campaign's, by its address, with every row of its rig.

import assert from "node:assert/strict";
import { test } from "node:test";
import { TimelineKind } from "@drydock/core/ports/recorder";
import { runWithFaults } from "@drydock/core/trials/access-campaign";
import { explorables } from "@drydock/core/trials/explorables";
import { parseAccessFault } from "@drydock/core/trials/fault-plan";
import { hostTurn } from "@drydock/node/host-turn";
import { openingOf, parseAddress } from "../page/address.ts";
import { endedCommandOf } from "./lab-run.ts";
import { campaignAddress, playCampaignRun } from "./shown-campaign.ts";

for (const [rig, words] of [
  ["serial", ["lost:transfer:12"]],
  ["nvme", ["late:interrupt:2:100us", "wrong:register-read:9:bit3"]],
] as const)
  test(`${rig}: what the report's link opens is the campaign's run, with the rows that led to it`, async () => {
    const faults = words.map(parseAccessFault);
    const address = campaignAddress(rig, { seed: 5, faults });
    assert.ok(address !== null);
    const opening = openingOf(parseAddress(address));
    assert.deepEqual([opening.what, opening.seed, opening.faults], [`campaign-${rig}`, 5, words]);
    const shown = await playCampaignRun(opening, hostTurn);
    const entry = explorables.find(({ name }) => name === rig) ?? assert.fail();
    const { isFired, outcome, problems } = await runWithFaults(entry, 5, hostTurn, faults);
    assert.equal(shown.result.succeeded, isFired && problems.length === 0);
    assert.ok(shown.result.text.startsWith(problems.length === 0 ? outcome : problems[0]), shown.result.text);
    const kinds = new Set([...shown.timeline.rows()].map(({ kind }) => kind));
    assert.ok(kinds.has(rig === "serial" ? TimelineKind.usb : TimelineKind.register), [...kinds].join());
    assert.ok(kinds.has(TimelineKind.event));
    assert.equal(
      endedCommandOf(opening),
      `npx drydock campaign run ${rig} --seed 5${words.map((word) => ` --strike ${word}`).join("")}`,
    );
  });

test("a rig of somebody's file has no link, and an address that names none, or no fault, is refused in words", async () => {
  assert.equal(campaignAddress("./mine.rig.ts", { seed: 1, faults: [] }), null);
  const open = (hash: string) => playCampaignRun(openingOf(parseAddress(hash)), hostTurn);
  await assert.rejects(open("#/trace/campaign-nowhere?seed=1"), /there is no rig "nowhere" for campaigns/);
  await assert.rejects(
    open("#/trace/campaign-serial?fault=stolen:transfer:3"),
    /is no fault: FAULT:ACCESS:NUMBER/,
  );
});

test("a run whose fault never strikes proves nothing, and says so", async () => {
  const { result } = await playCampaignRun(
    openingOf(parseAddress("#/trace/campaign-serial?seed=1&fault=lost:interrupt:4000")),
    hostTurn,
  );
  assert.equal(result.succeeded, false);
  assert.match(result.text, /did not strike, which proves nothing$/);
});
