// Rigs of the lab in threads: one that loops is ended, the other goes on; a file of one's own; back, and again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { RigInThread, type Seat } from "@drydock/board-server/rig-in-thread";
import type { SharedState } from "@drydock/lab/session/messages";
import { decodeRows } from "@drydock/lab/session/row-frames";
import type { RigNews } from "@drydock/lab/session/watchers";

const script = new URL("./lab-rig-thread.ts", import.meta.url);
const looping = fileURLToPath(new URL("../../test/looping.rig.ts", import.meta.url));

/** One who watches: the newest state, rows of the newest run, what was said. */
function watch(rig: RigInThread) {
  const seen = { state: null as SharedState | null, run: 0, rows: 0, lost: 0, said: [] as string[], runs: 0 };
  let seat: Seat | null = null;
  seat = rig.add({
    sendBytes: (frame) => {
      const { lost, rows, run } = decodeRows(frame);
      if (run !== seen.run) Object.assign(seen, { run, rows: 0, lost: 0, runs: seen.runs + 1 });
      seen.rows += rows.length;
      seen.lost += lost;
      seat?.take('{"kind":"got"}');
    },
    sendText: (text) => {
      const news = JSON.parse(text) as RigNews;
      if (news.kind === "said") seen.said.push(news.text);
      else seen.state = news.state;
    },
    close: () => assert.fail("nobody broke a rule"),
  });
  seat.take('{"kind":"watch","run":0,"row":1}');
  const act = (name: string, value = "") => seat.take(JSON.stringify({ kind: "act", name, value }));
  return { seen, act, leave: () => seat.leave() };
}

const until = async (what: string, isTrue: () => boolean): Promise<void> => {
  for (let tries = 0; !isTrue(); tries++) {
    assert.ok(tries < 3000, what);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

test("a rig that loops is ended and says so, the other one goes on, and both can begin again", {
  timeout: 90_000,
}, async () => {
  const good = new RigInThread(script, {
    name: "server-serial",
    summary: "",
    data: { rig: "serial", seed: 1 },
  });
  const bad = new RigInThread(
    script,
    { name: "server-looping", summary: "", data: { rig: looping, seed: 1 } },
    2000,
  );
  try {
    const [first, second] = [watch(good), watch(bad)];
    await until("rows come from both", () => first.seen.rows > 30 && second.seen.rows > 5);
    assert.match(second.seen.state?.title ?? "", /^looping: a device that loops/);
    await until("the loop is ended", () => second.seen.state?.mode === "stopped");
    assert.match(second.seen.state?.note ?? "", /did not answer for 2 s.*Other rigs go on/);
    assert.doesNotMatch(JSON.stringify(second.seen), /looping\.rig\.ts|\/cli\//, "no message carries a path");
    assert.deepEqual(second.seen.state?.acts, ["again"]);

    // The other one: its cable, one row back, and from the beginning, for all who watch.
    const other = watch(good);
    first.act("pause");
    await until("it stands", () => other.seen.state?.mode === "paused");
    first.act("step");
    first.act("unplug", "1");
    await until(
      "its device is gone",
      () =>
        other.seen.state?.boxes.some(({ floor, state }) => floor === "device" && state === "gone") === true,
    );
    const { runs } = other.seen;
    first.act("back");
    await until("it ran again", () => other.seen.runs === runs + 1);
    await until("with rows of its own", () => other.seen.rows > 5);
    first.act("unplug", "7");
    await until("a refusal is told", () => other.seen.said.some((text) => /from 1 to 1/.test(text)));

    second.act("again");
    await until("it has begun again", () => second.seen.state?.mode === "running");
  } finally {
    await Promise.all([good.close(), bad.close()]);
  }
});
