// Real NBD clients on our server: qemu-img, nbdcopy, nbdinfo, fio, a file system, TLS, and clients that die.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Random } from "@drydock/core/base/random";
import type { NbdListenOptions } from "../../src/outlets/nbd-listener.ts";
import { missingProgram, runProgram } from "./programs.ts";
import { serveDisk, type Way } from "./served-disk.ts";

const mebibyte = 1 << 20;
const folder = mkdtempSync(join(tmpdir(), "drydock-nbd-"));
after(() => rmSync(folder, { recursive: true, force: true }));
/** Unix sockets of this file's servers. */
let sockets = 0;
const serve = (way: Way, bytes: number, options: NbdListenOptions = {}, tls?: "require") =>
  serveDisk(
    way,
    bytes,
    options.port === undefined ? { path: join(folder, `s${sockets++}`), ...options } : options,
    tls,
  );

/** Bytes that nothing compresses, the same for each seed. */
function noise(bytes: number, seed: number): Uint8Array {
  const random = new Random(seed);
  const words = new Uint32Array(bytes / 4);
  for (let at = 0; at < words.length; at++) words[at] = random.next32();
  return new Uint8Array(words.buffer);
}

const hash = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

for (const way of ["memory", "uas", "nvme", "raid"] as const) {
  test(`${way}: nbdinfo lists the export, its size, its flags and its map`, {
    skip: missingProgram("nbdinfo", "libnbd-bin"),
  }, async () => {
    const served = await serve(way, 64 * mebibyte, { port: 0 });
    try {
      const json = JSON.parse(
        await runProgram("nbdinfo", ["--list", "--json", `nbd://127.0.0.1:${served.port}`]),
      );
      const [entry] = json.exports;
      assert.equal(entry["export-name"], "disk");
      assert.equal(entry.description, "a disk in memory");
      assert.equal(entry["export-size"], 64 * mebibyte);
      assert.equal(entry.is_read_only, false);
      for (const flag of ["can_flush", "can_fua", "can_trim", "can_zero", "can_multi_conn", "can_df"])
        assert.equal(entry[flag], true, flag);
      assert.equal(entry.block_size_minimum, 512);
      assert.equal(json.protocol, "newstyle-fixed");
      assert.equal(json.structured, true);
      const map = await runProgram("nbdinfo", ["--map", `nbd://127.0.0.1:${served.port}/disk`]);
      assert.match(map, /^\s*0\s+67108864\s+0\s+data/);
    } finally {
      await served.close();
    }
  });

  test(`${way}: nbdcopy: 64 MiB in over four connections and out again are the same bytes`, {
    skip: missingProgram("nbdcopy", "libnbd-bin"),
  }, async () => {
    const served = await serve(way, 64 * mebibyte);
    try {
      const data = noise(64 * mebibyte, 1);
      const [source, back] = [join(folder, "in"), join(folder, "out")];
      writeFileSync(source, data);
      await runProgram("nbdcopy", ["--flush", "-C", "4", source, served.uri]);
      await runProgram("nbdcopy", ["-C", "4", served.uri, back]);
      assert.equal(hash(readFileSync(back)), hash(data));
      assert.equal(served.cachedBytes(), 0, "it was flushed");
    } finally {
      await served.close();
    }
  });

  test(`${way}: qemu-img: convert in, compare, convert out`, {
    skip: missingProgram("qemu-img", "qemu-utils"),
  }, async () => {
    const served = await serve(way, 64 * mebibyte, { port: 0 });
    try {
      const uri = `nbd://127.0.0.1:${served.port}/disk`;
      const data = noise(64 * mebibyte, 2);
      data.fill(0, 8 * mebibyte, 40 * mebibyte);
      const [source, back] = [join(folder, "q-in"), join(folder, "q-out")];
      writeFileSync(source, data);
      await runProgram("qemu-img", ["convert", "-n", "-f", "raw", "-O", "raw", source, uri]);
      assert.match(
        await runProgram("qemu-img", ["compare", "-f", "raw", "-F", "raw", source, uri]),
        /identical/,
      );
      await runProgram("qemu-img", ["convert", "-f", "raw", "-O", "raw", uri, back]);
      assert.equal(hash(readFileSync(back)), hash(data));
      assert.match(
        await runProgram("qemu-io", [
          "-f",
          "raw",
          "-c",
          "write -P 0x5a 1M 64k",
          "-c",
          "read -P 0x5a 1M 64k",
          "-c",
          "write -z 1M 32k",
          "-c",
          "read -P 0 1M 32k",
          "-c",
          "discard 2M 1M",
          "-c",
          "flush",
          uri,
        ]),
        /read 32768\/32768/,
      );
    } finally {
      await served.close();
    }
  });

  test(`${way}: fio: random writes with checksums are verified, 32 deep`, {
    skip: missingProgram("fio", "fio"),
  }, async () => {
    const served = await serve(way, 64 * mebibyte);
    try {
      const output = await runProgram("fio", [
        ...["--name=v", "--ioengine=nbd", `--uri=${served.uri}`, "--rw=randwrite", "--bsrange=4k-256k"],
        ...["--iodepth=32", "--size=64M", "--verify=crc32c", "--do_verify=1", "--verify_fatal=1"],
        ...["--randseed=7", "--fsync=64", "--output-format=json", `--aux-path=${folder}`],
      ]);
      // Its engine says a sentence before the document.
      const json = JSON.parse(output.slice(output.indexOf("{")));
      assert.equal(json.jobs[0].error, 0);
      assert.ok(json.jobs[0].read.io_bytes >= 60 * mebibyte, "it was read back");
    } finally {
      await served.close();
    }
  });

  test(`${way}: ext4 made here is clean after it went through the disk and back`, {
    skip: missingProgram("mkfs.ext4", "e2fsprogs") || missingProgram("nbdcopy", "libnbd-bin"),
  }, async () => {
    const served = await serve(way, 64 * mebibyte);
    try {
      const files = join(folder, "files");
      mkdirSync(files, { recursive: true });
      for (let index = 0; index < 20; index++)
        writeFileSync(join(files, `f${index}`), noise(mebibyte, 100 + index));
      const image = join(folder, "ext4");
      await runProgram("mkfs.ext4", ["-q", "-F", "-d", files, image, "64M"]);
      await runProgram("nbdcopy", [image, served.uri]);
      const back = join(folder, "ext4-back");
      await runProgram("nbdcopy", [served.uri, back]);
      await runProgram("e2fsck", ["-f", "-n", back]);
      for (const index of [0, 19]) {
        const out = join(folder, `f${index}-back`);
        await runProgram("debugfs", ["-R", `dump /f${index} ${out}`, back]);
        assert.equal(hash(readFileSync(out)), hash(noise(mebibyte, 100 + index)));
      }
    } finally {
      await served.close();
    }
  });

  test(`${way}: STARTTLS: with the certificate the export is told, without TLS nothing is`, {
    skip: missingProgram("qemu-img", "qemu-utils") || missingProgram("openssl", "openssl"),
  }, async () => {
    const certificates = join(folder, "tls");
    mkdirSync(certificates, { recursive: true });
    const [ca, key, certificate] = ["ca-cert.pem", "server-key.pem", "server-cert.pem"].map((name) =>
      join(certificates, name),
    );
    const openssl = (args: string[]) => runProgram("openssl", args);
    await openssl([
      "req",
      "-x509",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-days",
      "2",
      "-subj",
      "/CN=test authority",
      "-keyout",
      join(certificates, "ca-key.pem"),
      "-out",
      ca,
    ]);
    await openssl([
      "req",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-subj",
      "/CN=localhost",
      "-keyout",
      key,
      "-out",
      join(certificates, "request.pem"),
    ]);
    const extensions = join(certificates, "extensions");
    writeFileSync(extensions, "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
    await openssl([
      "x509",
      "-req",
      "-days",
      "2",
      "-in",
      join(certificates, "request.pem"),
      "-CA",
      ca,
      "-CAkey",
      join(certificates, "ca-key.pem"),
      "-CAcreateserial",
      "-extfile",
      extensions,
      "-out",
      certificate,
    ]);
    const tls = { certificate: readFileSync(certificate), key: readFileSync(key) };
    const served = await serve(way, 16 * mebibyte, { port: 0, tls }, "require");
    try {
      const image = (secure: boolean) => [
        ...["info", "--output=json", "--object", `tls-creds-x509,id=t,endpoint=client,dir=${certificates}`],
        ...[
          "--image-opts",
          `driver=nbd,host=localhost,port=${served.port},export=disk${secure ? ",tls-creds=t" : ""}`,
        ],
      ];
      assert.equal(JSON.parse(await runProgram("qemu-img", image(true)))["virtual-size"], 16 * mebibyte);
      await assert.rejects(runProgram("qemu-img", image(false)), /TLS/);
      assert.ok(served.events.some((text) => text.includes("over TLS")));
    } finally {
      await served.close();
    }
  });

  test(`${way}: a client killed in the middle of its writes leaves the disk to the others`, {
    skip: missingProgram("fio", "fio") || missingProgram("nbdinfo", "libnbd-bin"),
  }, async () => {
    const served = await serve(way, 64 * mebibyte);
    try {
      for (let round = 0; round < 3; round++) {
        const client = spawn(
          "fio",
          [
            ...[
              "--name=w",
              "--ioengine=nbd",
              `--uri=${served.uri}`,
              "--rw=randwrite",
              "--bs=1M",
              "--iodepth=16",
            ],
            ...["--size=64M", "--time_based", "--runtime=30", "--thread", `--aux-path=${folder}`],
          ],
          { stdio: "ignore" },
        );
        const ended = new Promise((resolve) => client.once("exit", resolve));
        while (served.writes() < 64 * (round + 1)) await new Promise((resolve) => setImmediate(resolve));
        client.kill("SIGKILL");
        await ended;
        assert.match(await runProgram("nbdinfo", ["--size", served.uri]), /^67108864/);
      }
      while (served.server.sessionCount > 0) await new Promise((resolve) => setImmediate(resolve));
      assert.ok(served.events.some((text) => text.includes("went away")));
    } finally {
      await served.close();
    }
  });
}
