// The rig beside the board: one that loops is ended, its terminal hangs up, and the command goes on until it is told.

import assert from "node:assert/strict";
import { closeSync, lstatSync, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { CommandIo } from "../terminal/command-io.ts";
import { StartedRig } from "./started-rig.ts";

const script = new URL("../../test/looping-thread.ts", import.meta.url);
const options = {
  seed: 1,
  fault: [],
  device: [],
  platform: "open",
  pair: false,
  noPacing: false,
  json: false,
  isPcapWanted: false,
  isPerfettoWanted: false,
  isWatched: true,
};

test("a started rig that loops is ended: said, its terminal hangs up, no link is left, and stopping it is no wait", {
  timeout: 60_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), "drydock-started-"));
  const link = join(folder, "tty");
  process.env.DRYDOCK_TEST_LINK = link;
  const heard: string[] = [];
  const hear = (text: string) => void heard.push(text);
  const rig = new StartedRig(options, {}, { say: hear, event: hear } as CommandIo, {
    script,
    patienceMs: 2000,
  });
  const until = async (what: string, isTrue: () => boolean): Promise<void> => {
    for (let tries = 0; !isTrue(); tries++) {
      assert.ok(tries < 3000, what);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  try {
    await until("its terminal", () => lstatSync(link, { throwIfNoEntry: false }) !== undefined);
    assert.equal(heard.length, 0, "nobody listens yet");
    rig.listen();
    await until("its talk", () => heard.includes("here I am"));
    const terminal = openSync(link, "r+");
    rig.command("loop");
    await until("the end of the loop", () => !rig.thread.isRunning);
    assert.match(heard.join("\n"), /the rig was ended: it did not answer for 2 s[\s\S]*Ctrl-C ends all/);
    assert.equal(lstatSync(link, { throwIfNoEntry: false }), undefined);
    // What its program sees is a line whose other end is gone.
    assert.equal(readSync(terminal, Buffer.alloc(1)), 0);
    closeSync(terminal);
    rig.stop();
    assert.equal((await rig.ended).isWell, false);
  } finally {
    await rig.thread.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
