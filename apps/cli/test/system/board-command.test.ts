// drydock start and drydock board as a person meets them: the page, second starts, files in and out.

import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

const launcher = join(import.meta.dirname, "../../bin/drydock.mjs");
let folder = "";
let home = "";
before(() => {
  folder = mkdtempSync(join(tmpdir(), "drydock-board-command-"));
  home = join(folder, "home");
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** Without a display, so that nothing is opened. */
const environment = (): NodeJS.ProcessEnv => ({
  ...process.env,
  DRYDOCK_HOME: home,
  DISPLAY: "",
  WAYLAND_DISPLAY: "",
});

function run(...args: string[]): { code: number | null; out: string; talk: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [launcher, ...args], {
    env: environment(),
    encoding: "utf8",
    timeout: 120_000,
  });
  return { code: status, out: stdout, talk: stderr };
}

interface Running {
  readonly url: string;
  readonly child: ChildProcess;
  talk(): string;
  end(): Promise<number | null>;
}

/** Starts a command and waits until it says where the board is. */
async function started(...args: string[]): Promise<Running> {
  const child = spawn(process.execPath, [launcher, ...args], {
    env: environment(),
    stdio: ["pipe", "pipe", "pipe"],
  });
  let talk = "";
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  child.stdout?.resume();
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr?.on("data", (piece) => {
      talk += piece;
      const found = /the board is at (\S+)/.exec(talk);
      if (found !== null) resolve(found[1]);
    });
    void ended.then((code) => reject(new Error(`ended with ${code}: ${talk}`)));
  });
  return {
    url,
    child,
    talk: () => talk,
    end: async () => {
      child.kill("SIGINT");
      return await ended;
    },
  };
}

test("drydock start: the board and a serial rig; the page is readable; a second start names the first", {
  timeout: 120_000,
}, async () => {
  const first = await started("start", "--port", "0", "--link", join(folder, "tty"), "--for", "100");
  try {
    const page = await (await fetch(first.url)).text();
    assert.match(page, /<h1>Drivers<\/h1>/);
    assert.equal(page.split('<tr>\n<th scope="row">').length - 1, 20);
    for (let tries = 0; tries < 200 && !/picocom/.test(first.talk()); tries++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    assert.match(first.talk(), /picocom -b 115200 \S*tty/, "and says what to type");
    const second = run("board", "serve", "--port", "0", "--for", "5");
    assert.equal(second.code, 3);
    assert.match(second.talk, new RegExp(`another Drydock uses .*process \\d+, at ${first.url}`));
    const restore = join(folder, "while-running.db");
    assert.equal(run("board", "backup", restore).code, 0, "a backup while it runs");
    assert.match(run("board", "restore", restore).talk, /another Drydock uses/);
  } finally {
    assert.equal(await first.end(), 130);
  }
  assert.equal(run("board", "restore", join(folder, "while-running.db")).code, 0, "once it has ended");
});

test("a port that is taken is named: the usual one is replaced, a wanted one is an error", {
  timeout: 60_000,
}, async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => other.once("listening", resolve));
  const { port } = other.address() as { port: number };
  try {
    const refused = run("board", "serve", "--port", String(port), "--for", "5");
    assert.equal(refused.code, 3);
    assert.match(refused.talk, new RegExp(`port ${port} of this machine is taken`));
  } finally {
    other.close();
  }
});

test("export and import: the same bytes back, and the twenty posts are the folder of the repository", {
  timeout: 120_000,
}, () => {
  const out = join(folder, "out");
  const exported = run("board", "export", out, "--json");
  assert.equal(exported.code, 0, exported.talk);
  assert.equal(JSON.parse(exported.out).files, 41);
  const seed = join(import.meta.dirname, "../../../board/seed");
  assert.equal(spawnSync("diff", ["-r", out, seed], { encoding: "utf8" }).stdout, "");
  const imported = run("board", "import", out, "--json");
  assert.deepEqual(JSON.parse(imported.out), { added: 0, updated: 0, unchanged: 20, kept: [], refused: [] });
  const damaged = join(out, "drivers/P02-set-line-coding/post.md");
  writeFileSync(damaged, readFileSync(damaged, "utf8").replace("kind: question", "kind: riddle"));
  const refused = run("board", "import", out);
  assert.equal(refused.code, 3);
  assert.match(
    refused.out,
    /not taken in: drivers\/P02-set-line-coding: line 5: "kind" is one of question, case, guide/,
  );
});

test("a damaged database: said in a sentence, nothing written, and a restore helps", {
  timeout: 120_000,
}, () => {
  const backup = join(folder, "good.db");
  assert.equal(run("board", "backup", backup).code, 0);
  const database = join(home, "board.db");
  writeFileSync(database, readFileSync(database).fill(7, 4096, 60_000));
  const refused = run("board", "serve", "--port", "0", "--for", "5");
  assert.equal(refused.code, 3);
  assert.match(refused.talk, /is damaged[\s\S]*drydock board restore FILE/);
  assert.doesNotMatch(refused.talk, /^\s+at /m);
  const restored = run("board", "restore", backup);
  assert.equal(restored.code, 0, restored.talk);
  assert.ok(
    existsSync(join(home, "board.db.before-restore")) || existsSync(join(home, "board.db.before-restore-2")),
  );
  assert.equal(run("board", "export", join(folder, "after")).code, 0);
});

test("publish writes pages for a reader without a server", { timeout: 120_000 }, () => {
  const copy = join(folder, "copy");
  const published = run("board", "publish", copy, "--json");
  assert.equal(published.code, 0, published.talk);
  assert.ok(JSON.parse(published.out).pages > 60);
  assert.match(readFileSync(join(copy, "index.html"), "utf8"), /data-root="\.\/"/);
});
