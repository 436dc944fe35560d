// dext run --debug by the inspector's protocol: the map, a breakpoint on a C++ line, the stop there, the end.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "../../../..");
const program = join(root, "apps/cli/bin/drydock.mjs");
const dext = join(root, "packages/dext/test/dexts/loop");
const source = join(dext, "LoopDriver.cpp");

interface Frame {
  readonly functionName: string;
  readonly location: {
    readonly scriptId: string;
    readonly lineNumber: number;
    readonly columnNumber: number;
  };
}

/** One inspected process: requests with answers, and events as they come. */
class Inspected {
  readonly #socket: WebSocket;
  readonly #answers = new Map<number, (answer: unknown) => void>();
  readonly #events: { readonly method: string; readonly params: Record<string, unknown> }[] = [];
  #next = 0;
  #wake: () => void = () => {};

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      const message = JSON.parse(String(data));
      if (message.id !== undefined) this.#answers.get(message.id)?.(message.result ?? message.error);
      else {
        this.#events.push(message);
        this.#wake();
      }
    });
  }

  ask<T>(method: string, params: object = {}): Promise<T> {
    const id = ++this.#next;
    this.#socket.send(JSON.stringify({ id, method, params }));
    return new Promise((resolve) => this.#answers.set(id, resolve as (answer: unknown) => void));
  }

  /** The next event of that method that `is` wanted; those before it are dropped. */
  async event<T>(method: string, is: (params: T) => boolean = () => true): Promise<T> {
    for (;;) {
      const event = this.#events.shift();
      if (event === undefined)
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      else if (event.method === method && is(event.params as T)) return event.params as T;
    }
  }
}

const base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

function numbersOf(segment: string): number[] {
  const numbers: number[] = [];
  let value = 0;
  let shift = 0;
  for (const letter of segment) {
    const digit = base64.indexOf(letter);
    value |= (digit & 31) << shift;
    shift += 5;
    if ((digit & 32) !== 0) continue;
    numbers.push(value & 1 ? -(value >>> 1) : value >>> 1);
    value = 0;
    shift = 0;
  }
  return numbers;
}

interface Row {
  readonly offset: number;
  readonly file: string;
  readonly line: number;
}

/** A map read by its own rules (ECMA-426), not by ours. */
function readMap(url: string): {
  readonly rows: readonly Row[];
  readonly contents: readonly (string | null)[];
} {
  const map = JSON.parse(Buffer.from(url.slice(url.indexOf(",") + 1), "base64").toString());
  const rows: Row[] = [];
  let [offset, file, line] = [0, 0, 0];
  for (const segment of map.mappings.split(",")) {
    const [offsetBy, fileBy, lineBy] = numbersOf(segment);
    offset += offsetBy;
    if (fileBy === undefined) continue;
    file += fileBy;
    line += lineBy;
    rows.push({ offset, file: map.sources[file], line: line + 1 });
  }
  return { rows, contents: map.sourcesContent };
}

test("a breakpoint on a line of Start stops there, and the run then ends as without a debugger", async () => {
  const child = spawn(process.execPath, [program, "dext", "run", dext, "--rig", "serial", "--debug"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = { out: "", error: "" };
  child.stdout.on("data", (bytes) => (said.out += bytes));
  const listening = new Promise<string>((resolve, reject) => {
    child.stderr.on("data", (bytes) => {
      said.error += bytes;
      const url = /ws:\/\/\S+/.exec(said.error);
      if (url !== null) resolve(url[0]);
    });
    child.once("exit", (code) => reject(new Error(`it ended with ${code}: ${said.error}`)));
  });
  const socket = new WebSocket(await listening);
  await new Promise((resolve) => socket.addEventListener("open", resolve));
  const inspected = new Inspected(socket);
  await inspected.ask("Runtime.enable");
  await inspected.ask("Debugger.enable");
  await inspected.ask("Runtime.runIfWaitingForDebugger");
  interface Script {
    readonly scriptId: string;
    readonly url: string;
    readonly sourceMapURL: string;
  }
  const script = await inspected.event<Script>(
    "Debugger.scriptParsed",
    ({ sourceMapURL, url }) => url.startsWith("wasm:") && sourceMapURL.startsWith("data:application/json"),
  );
  const { rows, contents } = readMap(script.sourceMapURL);
  assert.ok(contents.includes(readFileSync(source, "utf8")), "the sources are in the map");
  // The stop for breakpoints.
  await inspected.event("Debugger.paused");
  const lines = readFileSync(source, "utf8").split("\n");
  const wanted = lines.findIndex((line) => line.includes("Start(provider, SUPERDISPATCH)")) + 1;
  assert.ok(wanted > 0);
  const row = rows.find(({ file, line }) => file.endsWith("LoopDriver.cpp") && line === wanted);
  assert.ok(row !== undefined);
  const location = { scriptId: script.scriptId, lineNumber: 0, columnNumber: row.offset };
  await inspected.ask("Debugger.setBreakpoint", { location });
  void inspected.ask("Debugger.resume");
  const { callFrames } = await inspected.event<{ readonly callFrames: readonly Frame[] }>(
    "Debugger.paused",
    ({ callFrames: [frame] }) => frame.location.scriptId === script.scriptId,
  );
  assert.match(callFrames[0].functionName, /LoopDriver::Start_Impl/);
  const at = rows.filter(({ offset }) => offset <= callFrames[0].location.columnNumber).at(-1);
  assert.deepEqual([at?.file, at?.line], [`file://${source}`, wanted]);
  await inspected.ask("Debugger.disable");
  const ended = new Promise((resolve) => child.once("exit", resolve));
  socket.close();
  assert.equal(await ended, 0, said.error);
  assert.match(said.error, /steps, digest [0-9a-f]{16}/);
});
