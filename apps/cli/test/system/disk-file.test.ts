// A disk in a file under foreign programs: qemu-img and nbdcopy, onto it and out of it; what is sparse stays sparse.

import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

const root = join(import.meta.dirname, "../../../..");
const program = join(root, "apps/cli/src/main.ts");
const missing = [
  ["qemu-img", "qemu-utils"],
  ["nbdcopy", "libnbd-bin"],
].filter(([name]) => spawnSync(name, ["--version"]).error !== undefined);
const skip =
  missing.length > 0 ? `missing: apt-get install ${missing.map(([, found]) => found).join(" ")}` : false;

const folder = mkdtempSync(join(tmpdir(), "drydock-image-"));
after(() => rmSync(folder, { recursive: true }));

const mebibyte = 1 << 20;
const imageBytes = 256 * mebibyte;

/** Data at three places, holes in between: 3 MiB of 256. */
function sparseImage(path: string): void {
  const descriptor = openSync(path, "w");
  for (const at of [0, 100 * mebibyte, 255 * mebibyte])
    writeSync(descriptor, randomBytes(mebibyte), 0, mebibyte, at);
  ftruncateSync(descriptor, imageBytes);
  closeSync(descriptor);
}

const heldBytes = (path: string): number => statSync(path).blocks * 512;

async function served<T>(path: string, use: (uri: string) => T, ...more: string[]): Promise<T> {
  const args = ["disk", "serve", "--port", "0", "--file", path, "--json", ...more];
  const child: ChildProcess = spawn(process.execPath, [program, ...args], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  try {
    const [line] = (await once(child.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
    return use((JSON.parse(line.toString()) as { uris: string[] }).uris[0]);
  } finally {
    child.kill("SIGINT");
    await once(child, "exit");
  }
}

function run(name: string, ...args: string[]): string {
  const done = spawnSync(name, args, { encoding: "utf8" });
  assert.equal(done.status, 0, `${name} ${args.join(" ")}: ${done.stderr}`);
  return done.stdout;
}

test("qemu-img converts onto it and out of it, compares, maps; holes stay holes, both ways to the disk", {
  skip,
}, async () => {
  const source = join(folder, "source");
  sparseImage(source);
  for (const way of ["uas", "bulk-only"]) {
    const image = join(folder, `image-${way}`);
    await served(
      image,
      (uri) => {
        run("qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", source, uri);
        assert.match(run("qemu-img", "compare", "-f", "raw", "-F", "raw", source, uri), /identical/);
        const map = JSON.parse(run("qemu-img", "map", "--output=json", "-f", "raw", uri)) as {
          start: number;
          length: number;
          data: boolean;
        }[];
        const data = map.filter((entry) => entry.data).reduce((sum, { length }) => sum + length, 0);
        assert.equal(data, 3 * mebibyte, JSON.stringify(map));
        run("qemu-img", "convert", "-f", "raw", "-O", "raw", uri, join(folder, "back"));
      },
      "--size",
      String(imageBytes),
      "--through",
      way,
    );
    assert.ok(heldBytes(image) < 4 * mebibyte, `${heldBytes(image)} bytes of the image are held`);
    assert.ok(readFileSync(join(folder, "back")).equals(readFileSync(source)));
    assert.ok(heldBytes(join(folder, "back")) < 4 * mebibyte);
  }
});

test("nbdcopy onto it, with and without --destination-is-zero, over what was there; and out of it", {
  skip,
}, async () => {
  const source = join(folder, "copied");
  sparseImage(source);
  const image = join(folder, "target");
  await served(
    image,
    (uri) => run("nbdcopy", "--destination-is-zero", source, uri),
    "--size",
    String(imageBytes),
  );
  assert.ok(readFileSync(image).equals(readFileSync(source)));
  assert.ok(heldBytes(image) < 4 * mebibyte);
  // Now it has other contents than zeros: every hole of the source has to be punched.
  const other = join(folder, "other");
  sparseImage(other);
  await served(image, (uri) => {
    run("nbdcopy", "--flush", other, uri);
    run("nbdcopy", uri, join(folder, "out"));
  });
  assert.ok(readFileSync(image).equals(readFileSync(other)));
  assert.ok(readFileSync(join(folder, "out")).equals(readFileSync(other)));
  assert.ok(heldBytes(image) < 4 * mebibyte, `${heldBytes(image)} bytes are held`);
});

test("qemu-img create and a qcow2 on it; a read-only server shows the same holes and takes no write", {
  skip,
}, async () => {
  const source = join(folder, "inside");
  sparseImage(source);
  const image = join(folder, "qcow");
  await served(
    image,
    (uri) => {
      run("qemu-img", "create", "-q", "-f", "qcow2", uri, "512M");
      run("qemu-img", "convert", "-n", "-f", "raw", "-O", "qcow2", source, uri);
    },
    "--size",
    String(imageBytes),
  );
  await served(
    image,
    (uri) => {
      run("qemu-img", "check", "-f", "qcow2", uri);
      const info = JSON.parse(run("qemu-img", "info", "--output=json", "-f", "qcow2", uri)) as Record<
        string,
        unknown
      >;
      assert.equal(info["virtual-size"], 512 * mebibyte);
      assert.notEqual(spawnSync("qemu-img", ["convert", "-n", "-O", "raw", source, uri]).status, 0);
      const map = run("qemu-img", "map", "--output=json", "-f", "raw", uri);
      assert.ok(JSON.parse(map).some((entry: { data: boolean }) => !entry.data));
    },
    "--read-only",
  );
});
