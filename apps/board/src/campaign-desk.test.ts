// Campaigns of a queue beside their case: how far, what came of them, and a queue that is away.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type CampaignPlan, ShardRunner } from "@drydock/core/trials/campaign-shards";
import { explorables } from "@drydock/core/trials/explorables";
import { hostTurn } from "@drydock/node/host-turn";
import { findCampaign, submitCampaign, takeShard } from "@drydock/node/jobs/campaign-foreman";
import { workOnCampaigns } from "@drydock/node/jobs/campaign-work";
import { openSqliteQueue } from "@drydock/node/jobs/sqlite-job-queue";
import { openBoard } from "./server.ts";

const folder = mkdtempSync(join(tmpdir(), "drydock-campaign-desk-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const plan: CampaignPlan = { rig: explorables[0].name, seed: 3, seeds: 0, pairs: 0, most: 45 };

test("a case's page says how far its campaigns are, and what came of them; other cases have none", async () => {
  const place = join(folder, "queue");
  const queue = openSqliteQueue(place, { isTemporary: true });
  const runner = new ShardRunner(explorables[0], plan, hostTurn);
  const code = { version: "0.1.0", digest: "d" };
  await submitCampaign(queue, runner, { id: "0123456789", plan, code, post: "P02", submittedAt: 1 });
  let now = 1_800_000_000_000;
  const board = await openBoard({ home: null, version: "0.1.0", queue: place, now: () => now });
  const page = async (id: string) => {
    now += 60_000;
    return await (await board.app.request(`http://localhost/cases/${id}`)).text();
  };
  try {
    assert.match(
      await page("P02"),
      /serial, seed 3: singles, 0 of 2 parts <code>drydock campaign report 0123456789/,
    );
    assert.doesNotMatch(await page("P06"), /<h2>Campaigns/);
    await workOnCampaigns({
      queue,
      digests: new Set(["d"]),
      seats: [{ run: (_campaign, shard) => runner.run(shard), end: async () => {} }],
      isStopped: () => false,
      isOver: async () => (await findCampaign(queue, "0123456789"))?.isDone === true,
    });
    assert.match(await page("P02"), /clean<\/span> serial, seed 3: 45 runs, every contract was kept/);
    // One whose only part nobody could make is not clean, whatever else it found.
    await submitCampaign(queue, runner, {
      id: "00000000aa",
      plan: { ...plan, most: 10 },
      code,
      post: "P02",
      submittedAt: 2,
    });
    for (let attempt = 0; attempt < 3; attempt++) {
      const taken = await takeShard(queue, new Set(["d"]));
      if (taken !== null) await queue.fail(taken.job, "<b>no</b>");
    }
    assert.equal(await takeShard(queue, new Set(["d"])), null);
    assert.match(
      await page("P02"),
      /findings<\/span> serial, seed 3: 0 of 0 runs with findings, some were not run/,
    );
  } finally {
    await board.close();
    await queue.close();
  }
});

test("a queue that is away is one line, said once to whoever runs the board, and no page fails", async () => {
  const troubles: string[] = [];
  const board = await openBoard({
    home: null,
    version: "0.1.0",
    queue: join(folder, "nowhere"),
    onTrouble: (error) => troubles.push(String(error)),
  });
  try {
    for (let asked = 0; asked < 3; asked++) {
      const answer = await board.app.request("http://localhost/cases/P02");
      assert.equal(answer.status, 200);
      assert.match(await answer.text(), /The queue of campaigns does not answer\./);
    }
    assert.deepEqual([troubles.length, /there is no queue/.test(troubles[0])], [1, true]);
  } finally {
    await board.close();
  }
});
