// A board with a certificate of its own: TLS from the first byte, one name, renewed in place; wrong pairs are refused.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:https";
import { connect as connectTcp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { readTlsPair } from "@drydock/node/host/tls-door";
import { drydockCommand, serveBoard } from "../board-process.ts";

const skip = existsSync("/usr/bin/openssl") ? false : "openssl is missing: apt-get install openssl";
let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "drydock-tls-"));
  if (skip !== false) return;
  for (const [name, host] of [
    ["one", "board.test"],
    ["two", "board.test"],
    ["other", "other.test"],
  ]) {
    const made = spawnSync("openssl", [
      ...[
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
      ],
      ...["-keyout", join(folder, `${name}.key`), "-out", join(folder, `${name}.pem`)],
      ...["-subj", `/CN=${host}`, "-addext", `subjectAltName=DNS:${host}`],
    ]);
    assert.equal(made.status, 0, String(made.stderr));
  }
});
after(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string) => join(folder, name);

interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

function ask(port: number, path: string, form: string | null = null, name = "board.test"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: "127.0.0.1",
        port,
        path,
        servername: name,
        ca: readFileSync(file("one.pem")),
        method: form === null ? "GET" : "POST",
        headers: {
          host: `${name}:${port}`,
          ...(form === null
            ? {}
            : {
                origin: `https://${name}:${port}`,
                "content-type": "application/x-www-form-urlencoded",
                // Nobody's proxy stands before this board: what is said here is not believed.
                "x-forwarded-for": "203.0.113.7",
              }),
        },
      },
      (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (piece: string) => {
          body += piece;
        });
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        );
      },
    );
    sent.on("error", reject);
    sent.end(form ?? undefined);
  });
}

test("a pair is judged before anything listens: absent, not PEM, not a pair, another name, over", {
  skip,
}, () => {
  const now = Date.now();
  const pair = { certificate: file("one.pem"), key: file("one.key") };
  assert.ok(readTlsPair(pair, "board.test", now).cert.length > 0);
  const fails = (files: typeof pair, name: string, at: number, words: RegExp) =>
    assert.throws(
      () => readTlsPair(files, name, at),
      (error) => error instanceof RangeError && words.test(error.message),
    );
  fails({ ...pair, certificate: file("none.pem") }, "board.test", now, /cannot be read \(ENOENT\)/);
  fails({ ...pair, certificate: file("one.key") }, "board.test", now, /is no certificate/);
  fails({ ...pair, key: file("two.key") }, "board.test", now, /is no key of the certificate/);
  fails(pair, "other.test", now, /is for DNS:board\.test, not for other\.test/);
  fails(pair, "board.test", now + 5 * 86_400_000, /is good from/);
});

test("served with its own certificate: https alone, __Host- cookies, no proxy is believed; the same by its command", {
  skip,
}, async () => {
  copyFileSync(file("one.pem"), file("live.pem"));
  copyFileSync(file("one.key"), file("live.key"));
  // The address names its port, so it is chosen before.
  const port = 20_000 + (process.pid % 20_000);
  const origin = `https://board.test:${port}`;
  const words = ["--port", String(port), "--origin", origin];
  const wrong = await drydockCommand(file("wrong"), [
    ...["board", "serve", "--no-open", ...words],
    ...["--certificate", file("other.pem"), "--key", file("other.key")],
  ]);
  assert.equal(wrong.code, 3, wrong.printed);
  assert.match(wrong.printed, /is for DNS:other\.test, not for board\.test/);
  const board = await serveBoard(file("home"), [
    ...[...words, "--listen", "127.0.0.1"],
    ...["--certificate", file("live.pem"), "--key", file("live.key")],
  ]);
  try {
    assert.equal(board.url, origin);
    const page = await ask(port, "/t/drivers");
    assert.deepEqual([page.status, /<table class="posts">/.test(page.body)], [200, true]);
    const signed = await ask(port, "/signup", "handle=tess&password=four+words+of+no+kin");
    assert.equal(signed.status, 303, signed.body);
    assert.match(String(signed.headers["set-cookie"]), /^__Host-drydock=[\w-]{43};.*HttpOnly.*Secure/);
    // Plain bytes and broken handshakes end; the next reader is served.
    for (const bytes of [
      "GET / HTTP/1.1\r\nHost: board.test\r\n\r\n",
      "\u0016\u0003\u0001\u0002\u0000\u0001",
    ]) {
      const socket = connectTcp({ host: "127.0.0.1", port });
      socket.on("error", () => {});
      let got = "";
      socket.on("data", (piece) => {
        got += piece.toString("latin1");
      });
      socket.end(bytes);
      await new Promise((resolve) => socket.once("close", resolve));
      assert.doesNotMatch(got, /HTTP\/1|<html/);
    }
    assert.equal((await ask(port, "/health")).status, 200);
  } finally {
    await board.end();
  }
});
