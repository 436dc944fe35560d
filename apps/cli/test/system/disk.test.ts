// drydock disk as people run it: served to nbdinfo, proven, and refused with words.

import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "../../../..");
const program = join(root, "apps/cli/src/main.ts");
const hasNbdinfo = spawnSync("nbdinfo", ["--version"]).error === undefined;

function drydock(...args: string[]) {
  return spawnSync(process.execPath, [program, "disk", ...args], { encoding: "utf8" });
}

test("disk serve: the first line has the addresses, nbdinfo finds each disk, SIGINT ends it with 130", {
  skip: hasNbdinfo ? false : "nbdinfo is missing: apt-get install libnbd-bin",
}, async () => {
  const args = ["disk", "serve", "--port", "0", "--size", "66T", "--name", "a", "--name", "b", "--json"];
  const server: ChildProcess = spawn(process.execPath, [program, ...args], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  try {
    const [line] = (await once(server.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
    const { uris } = JSON.parse(line.toString()) as { uris: string[] };
    assert.equal(uris.length, 2);
    for (const uri of uris) {
      const found = spawnSync("nbdinfo", ["--size", uri], { encoding: "utf8" });
      assert.equal(found.stdout.trim(), String(66 * 2 ** 40), found.stderr);
    }
  } finally {
    server.kill("SIGINT");
  }
  const [code] = await once(server, "exit");
  assert.equal(code, 130);
});

// RFC 3986 §3.2.2 (IPv6 in brackets), NBD's URI specification (socket=, percent-encoded), RFC 7143 §4.3 (TargetAddress).
test("what is printed works as printed: IPv6, a socket with blanks, a wildcard, a foreign alphabet", {
  skip: hasNbdinfo ? false : "nbdinfo is missing: apt-get install libnbd-bin",
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), "drydock uris-"));
  const socket = join(folder, "a b&c#%41.sock");
  const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
    all?.some(({ address }) => address === "::1"),
  );
  try {
    for (const where of [
      ...(hasIpv6 ? [["--host", "::1", "--port", "0"]] : []),
      ["--host", "0.0.0.0", "--port", "0"],
      ["--unix", socket],
    ]) {
      const args = ["disk", "serve", "--size", "1M", "--name", "Größe 1/2?", "--json", ...where];
      const server = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "pipe"] });
      let talk = "";
      server.stderr.on("data", (bytes: Buffer) => {
        talk += bytes.toString();
      });
      try {
        const [line] = (await once(server.stdout, "data")) as [Buffer];
        const [uri] = (JSON.parse(line.toString()) as { uris: string[] }).uris;
        const found = spawnSync("nbdinfo", ["--size", uri], { encoding: "utf8" });
        assert.equal(found.stdout.trim(), String(2 ** 20), `${uri}: ${found.stderr}`);
        // The tip is a command line: a shell reads it as it stands.
        const tip = /try {2}(nbdinfo .*)/.exec(talk)?.[1] ?? "";
        const typed = spawnSync("sh", ["-c", tip], { encoding: "utf8" });
        assert.equal(typed.status, 0, `${tip}: ${typed.stderr}`);
      } finally {
        server.kill("SIGINT");
        await once(server, "exit");
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const hasLibiscsi = spawnSync("iscsi-ls", ["--help"]).error === undefined;
const iscsiSkip = hasLibiscsi ? false : "iscsi-ls is missing: apt-get install libiscsi-bin";

interface IscsiServer {
  readonly child: ChildProcess;
  readonly portal: string;
  readonly urls: readonly string[];
  readonly talk: () => string;
}

async function serveIscsi(
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<IscsiServer> {
  const child = spawn(
    process.execPath,
    [program, "disk", "serve", "--iscsi", "--port", "0", "--json", ...args],
    {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...environment },
    },
  );
  let talk = "";
  child.stderr?.on("data", (bytes: Buffer) => {
    talk += bytes.toString();
  });
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
  return { child, ...JSON.parse(line.toString()), talk: () => talk };
}

async function interrupt(child: ChildProcess): Promise<number> {
  let rest = "";
  child.stdout?.on("data", (bytes: Buffer) => {
    rest += bytes.toString();
  });
  child.kill("SIGINT");
  const [code] = await once(child, "close");
  outputs.set(child, rest);
  return code;
}

/** What each server printed at its end. */
const outputs = new Map<ChildProcess, string>();

test("disk serve --iscsi: iscsi-ls lists each unit, a read-only one says so, --coverage tells what was asked", {
  skip: iscsiSkip,
}, async () => {
  const server = await serveIscsi([
    "--size",
    "64M",
    "--name",
    "a",
    "--name",
    "b",
    "--read-only",
    "--coverage",
  ]);
  try {
    const listed = spawnSync("iscsi-ls", ["-s", server.portal], { encoding: "utf8" });
    assert.match(
      listed.stdout,
      /Target:iqn\.2026-01\.org\.example:disk Portal:127\.0\.0\.1:\d+,1/,
      listed.stderr,
    );
    assert.match(listed.stdout, /Lun:0 +Type:DIRECT_ACCESS \(Size:63M\)[\s\S]*Lun:1/);
    const capacity = spawnSync("iscsi-readcapacity16", [server.urls[1]], { encoding: "utf8" });
    assert.match(capacity.stdout, /Total size:67108864/, capacity.stderr);
    assert.match(
      server.talk(),
      /iscsiadm -m node -T iqn\.2026-01\.org\.example:disk -p 127\.0\.0\.1:\d+ --login/,
    );
  } finally {
    assert.equal(await interrupt(server.child), 130);
  }
  const { rows } = JSON.parse(outputs.get(server.child) ?? "") as { rows: { name: string; asked: number }[] };
  assert.equal(rows.find(({ name }) => name === "REPORT LUNS")?.asked, 2);
});

test("disk serve --iscsi with CHAP both ways: the right secrets pass, others do not, none is ever printed", {
  skip: iscsiSkip,
}, async () => {
  const secrets = {
    DRYDOCK_CHAP_SECRET: "first-dock-secret",
    DRYDOCK_CHAP_MUTUAL_SECRET: "other-dock-secret",
  };
  const server = await serveIscsi(["--chap-user", "dock", "--chap-mutual-user", "pier"], secrets);
  const inquire = (login: string, query = "") =>
    spawnSync("iscsi-inq", [server.urls[0].replace("iscsi://", `iscsi://${login}`) + query], {
      encoding: "utf8",
    });
  try {
    assert.match(inquire("dock%first-dock-secret@").stdout, /DRYDOCK/);
    const mutual = (secret: string) =>
      inquire("dock%first-dock-secret@", `?target_user=pier&target_password=${secret}`);
    assert.match(mutual("other-dock-secret").stdout, /DRYDOCK/);
    assert.notEqual(mutual("wrong-dock-secret").status, 0);
    assert.notEqual(inquire("dock%wrong-dock-secret@").status, 0);
    assert.notEqual(inquire("").status, 0);
  } finally {
    assert.equal(await interrupt(server.child), 130);
  }
  assert.doesNotMatch(server.talk() + outputs.get(server.child), /dock-secret/);
});

test("disk coverage: our class driver's table; a foreign client's; a client that fails is exit code 1", {
  skip: iscsiSkip,
}, () => {
  const own = drydock("coverage", "--json");
  assert.equal(own.status, 0, own.stderr);
  const { rows } = JSON.parse(own.stdout) as { rows: { name: string; isClaimed: boolean }[] };
  assert.ok(
    rows.some(({ name }) => name === "SYNCHRONIZE CACHE(10)") && rows.every(({ isClaimed }) => isClaimed),
  );
  const foreign = drydock("coverage", "--", "iscsi-inq", "{url}");
  assert.equal(foreign.status, 0, foreign.stderr);
  assert.match(foreign.stdout, /^INQUIRY +2 +2 /m);
  assert.match(foreign.stderr, /Vendor:DRYDOCK/);
  assert.equal(drydock("coverage", "--", "iscsi-inq", "{url}9").status, 1);
  const absent = drydock("coverage", "--", "no-such-program", "{url}");
  assert.equal(absent.status, 2);
  assert.match(absent.stderr, /command cannot be started: there is no no-such-program/);
});

test("disk serve --file: what a client wrote and flushed is in the file, and there again for the next server", {
  skip: hasNbdinfo ? false : "nbdinfo is missing: apt-get install libnbd-bin",
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), "drydock-file-"));
  const image = join(folder, "image");
  const source = join(folder, "source");
  const bytes = randomBytes(2 << 20);
  writeFileSync(source, bytes);
  const copy = async (turn: (uri: string) => string[], ...more: string[]) => {
    const args = ["disk", "serve", "--port", "0", "--size", "2M", "--file", image, "--json", ...more];
    const server = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "ignore"] });
    try {
      const [line] = (await once(server.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
      const { uris } = JSON.parse(line.toString()) as { uris: string[] };
      const done = spawnSync("nbdcopy", turn(uris[0]), { encoding: "utf8" });
      assert.equal(done.status, 0, done.stderr);
    } finally {
      server.kill("SIGINT");
    }
    const [code] = await once(server, "exit");
    assert.equal(code, 130);
  };
  try {
    await copy((uri) => ["--flush", source, uri]);
    assert.ok(readFileSync(image).equals(bytes));
    await copy((uri) => [uri, join(folder, "back")], "--through", "bulk-only");
    assert.ok(readFileSync(join(folder, "back")).equals(bytes));
    const short = drydock("serve", "--size", "4M", "--file", image);
    assert.equal(short.status, 2);
    assert.match(short.stderr, /has 2097152 bytes, fewer than --size 4194304; leave --size away/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("disk prove: 0 for the good driver, 1 with sector and layer for P19's fault", () => {
  const good = drydock("prove", "--cuts", "60", "--transactions", "2");
  assert.equal(good.status, 0, good.stderr);
  assert.match(good.stdout, /60 power cuts .* none was lost/);
  const bad = drydock("prove", "--fault", "short-mode-sense", "--json");
  assert.equal(bad.status, 1, bad.stderr);
  const { loss } = JSON.parse(bad.stdout);
  assert.equal(loss.ledger.guilty, "class driver");
  assert.ok(loss.sector >= 0);
});

test("disk fuzz: changed answers, no finding, and the seed gives the same numbers again", () => {
  const runs = [1, 2].map(() => drydock("fuzz", "--answers", "300", "--json"));
  for (const { status, stderr } of runs) assert.equal(status, 0, stderr);
  const report = JSON.parse(runs[0].stdout);
  assert.ok(report.answers >= 300);
  assert.deepEqual(report.problems, []);
  assert.equal(runs[1].stdout, runs[0].stdout);
  assert.equal(drydock("fuzz", "--answers", "0").status, 2);
});

test("disk rehearse: the wrong dext panics, with a report the doctor reads; the right one and a kext do not", () => {
  const folder = mkdtempSync(join(tmpdir(), "drydock-rehearse-"));
  try {
    const bad = drydock("rehearse", "--evidence", folder);
    assert.equal(bad.status, 1, bad.stderr);
    assert.match(bad.stdout, /0 -> 2: never acknowledged within 20\.000 s: a Mac panics/);
    const diagnosed = spawnSync(process.execPath, [program, "diagnose", folder], { encoding: "utf8" });
    assert.match(diagnosed.stdout, /DR15-1/);
  } finally {
    rmSync(folder, { recursive: true });
  }
  const kext = drydock("rehearse", "--driver", "kext", "--json");
  assert.equal(kext.status, 0, kext.stderr);
  const { lines, panic } = JSON.parse(kext.stdout) as { lines: string[]; panic: string | null };
  assert.equal(panic, null);
  assert.ok(lines.some((line) => /0 -> 2: 25\.\d+ s of 100\.000 s \(25 %\): in time/.test(line)));
  const good = drydock("rehearse", "--driver", "dext-begins", "--spin-up", "60");
  assert.equal(good.status, 0, good.stderr);
  assert.match(good.stdout, /first read after the wake: (59|6\d)\.\d+ s, good/);
});

test("disk: what cannot be is a usage error that says what can", () => {
  for (const [args, words] of [
    [["serve", "--file", "a", "--file", "b"], /1 disks and 2 files/],
    [["serve", "--read-only", "--file", "/no-such-image"], /is not there/],
    [["serve", "--size", "512", "--block", "1024"], /less than one block/],
    [["serve", "--iscsi", "--chap-user", "dock"], /DRYDOCK_CHAP_SECRET/],
    [["rehearse", "--spin-up", "soon"], /seconds from 0 to 150, not "soon"/],
  ] as const) {
    const result = drydock(...args);
    assert.equal(result.status, 2, args.join(" "));
    assert.match(result.stderr, words);
  }
});
