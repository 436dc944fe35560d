// The wire of lines: messages in pieces, lines that are none, a line that never ends.

import assert from "node:assert/strict";
import { once } from "node:events";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { LineTransport, longestMessage } from "./line-transport.ts";

async function wire() {
  const input = new PassThrough();
  const output = new PassThrough();
  const heard: unknown[] = [];
  const transport = new LineTransport(input, output);
  transport.onmessage = (message) => heard.push(message);
  await transport.start();
  let written = "";
  output.on("data", (piece: Buffer) => {
    written += piece;
  });
  const answers = (): { id: unknown; error: { code: number } }[] =>
    written
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line));
  /** All of it has been read. */
  const ended = async () => {
    input.end();
    await once(input, "end");
    output.end();
    await once(output, "end");
  };
  return { input, heard, answers, ended };
}

const ping = { jsonrpc: "2.0", id: 1, method: "ping" };

test("a message in pieces of one byte, several in one piece, one with a carriage return", async () => {
  const { answers, ended, heard, input } = await wire();
  for (const byte of Buffer.from(`${JSON.stringify(ping)}\n`)) input.write(Buffer.of(byte));
  input.write(`${JSON.stringify({ ...ping, id: 2 })}\n\n${JSON.stringify({ ...ping, id: "ä" })}\r\n`);
  await ended();
  assert.deepEqual(
    heard.map((message) => (message as { id: unknown }).id),
    [1, 2, "ä"],
  );
  assert.deepEqual(answers(), []);
});

// JSON-RPC 2.0 §5.1: -32700 for what is no JSON, -32600 for what is no request; the id where it can be told.
test("what is no message is answered, and the next one is heard", async () => {
  const { answers, ended, heard, input } = await wire();
  const bad: [string, unknown, number][] = [
    ["{", null, -32700],
    ["\u0000\u001b[2J", null, -32700],
    ["[]", null, -32600],
    [`[${JSON.stringify(ping)}]`, null, -32600],
    ['{"jsonrpc":"1.0","id":7,"method":"ping"}', 7, -32600],
    ['{"jsonrpc":"2.0","id":{},"method":"ping"}', null, -32600],
    ["null", null, -32600],
    ["7", null, -32600],
    [`${"[".repeat(200_000)}${"]".repeat(200_000)}`, null, -32600],
  ];
  for (const [line] of bad) input.write(`${line}\n`);
  input.write(`${JSON.stringify(ping)}\n`);
  await ended();
  assert.deepEqual(
    answers().map(({ error, id }) => [id, error.code]),
    bad.map(([, id, code]) => [id, code]),
  );
  assert.deepEqual(heard, [ping]);
});

test("a line that is too long is refused once it ends, is not held, and the next one is heard", async () => {
  const { answers, ended, heard, input } = await wire();
  const piece = Buffer.alloc(64 << 10, 0x61);
  for (let bytes = 0; bytes < 4 * longestMessage; bytes += piece.length) input.write(piece);
  input.write(`\n${JSON.stringify(ping)}\n`);
  await ended();
  assert.deepEqual(
    answers().map(({ error }) => error.code),
    [-32600],
  );
  assert.deepEqual(heard, [ping]);
});

test("the end of the input waits for what was asked and not taken back, and for nothing else", async () => {
  for (const [lines, answered, isOver] of [
    [[ping], [], false],
    [[ping], [1], true],
    [[ping, { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } }], [], true],
    [[{ jsonrpc: "2.0", method: "notifications/initialized" }], [], true],
  ] as const) {
    const input = new PassThrough();
    const transport = new LineTransport(input, new PassThrough());
    let isClosed = false;
    transport.onclose = () => {
      isClosed = true;
    };
    await transport.start();
    input.end(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    await once(input, "end");
    for (const id of answered) await transport.send({ jsonrpc: "2.0", id, result: {} });
    assert.equal(isClosed, isOver, JSON.stringify(lines));
  }
});
