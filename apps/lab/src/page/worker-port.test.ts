// The way to the session: which worker has what, and what is said of one that does not answer.

import assert from "node:assert/strict";
import { test } from "node:test";
import { rigCatalogue } from "@drydock/core/rigs/catalogue";
import { serialEntries } from "@drydock/core/rigs/serial-entries";
import type { FromSession, Opening, ToSession } from "../session/messages.ts";
import { lightRigs, type WorkerLike, WorkerPort, workerOf } from "./worker-port.ts";

const opening: Opening = { what: "serial", side: "bad", seed: 1, faults: [], isRunning: true };

class FakeWorker implements WorkerLike {
  readonly index: number;
  readonly got: ToSession[] = [];
  isEnded = false;
  say: (message: FromSession) => void = () => {};
  fail: (text: string) => void = () => {};

  constructor(index: number) {
    this.index = index;
  }

  postMessage(message: ToSession): void {
    this.got.push(message);
  }

  terminate(): void {
    this.isEnded = true;
  }

  addEventListener(kind: "message" | "error", take: (event: never) => void): void {
    if (kind === "message") this.say = (data) => take({ data } as never);
    else this.fail = (message) => take({ message } as never);
  }
}

function ported() {
  const workers: FakeWorker[] = [];
  const said: FromSession[] = [];
  let tick = (): void => {};
  const port = new WorkerPort(
    (index) => {
      const worker = new FakeWorker(index);
      workers.push(worker);
      return worker;
    },
    (act) => {
      tick = act;
      return () => {
        tick = () => {};
      };
    },
  );
  port.onMessage((message) => said.push(message));
  return { port, workers, said, tick: (times: number) => Array.from({ length: times }, () => tick()) };
}

test("the first worker has the serial rigs, another one the rest of the catalogue", () => {
  assert.deepEqual(
    lightRigs,
    serialEntries.map(({ name }) => name),
  );
  for (const { name } of rigCatalogue) assert.equal(workerOf(name), lightRigs.includes(name) ? 0 : 1, name);
  for (const name of ["server", "server-logger"]) assert.equal(workerOf(name), 0, name);
  assert.equal(workerOf("P14"), 2);
});

test("a worker that goes round in a loop is ended after five questions, and another one can be opened", () => {
  const { port, said, tick, workers } = ported();
  port.send({ kind: "open", opening, number: 1 });
  tick(20);
  assert.equal(workers[0].isEnded, false, "loading its script may take its time");
  workers[0].say({ kind: "pong" });
  tick(5);
  assert.equal(workers[0].isEnded, false);
  workers[0].say({ kind: "pong" });
  tick(6);
  assert.equal(workers[0].isEnded, true);
  assert.match(JSON.stringify(said.at(-1)), /did not answer for 5 s and was ended/);
  port.send({ kind: "act", act: { name: "step", value: "" } });
  assert.match(JSON.stringify(said.at(-1)), /Nothing runs here any more/);
  port.send({ kind: "open", opening, number: 2 });
  assert.equal(workers.length, 2);
  // What the one that was ended still says is nobody's.
  const before = said.length;
  workers[0].say({ kind: "said", text: "late", isRefusal: false });
  assert.equal(said.length, before);
});

test("a file of a million rows may take longer; a worker that breaks is said", () => {
  const { port, said, tick, workers } = ported();
  port.send({ kind: "open", opening: { ...opening, what: "P02" }, number: 1 });
  assert.equal(workers[0].index, 2);
  workers[0].say({ kind: "pong" });
  port.send({ kind: "file", id: 1, form: "text" });
  tick(30);
  assert.equal(workers[0].isEnded, false);
  workers[0].say({ kind: "file", id: 1, name: "a", type: "b", body: "" });
  tick(6);
  assert.equal(workers[0].isEnded, true);
  port.send({ kind: "open", opening, number: 2 });
  workers[1].fail("out of memory");
  assert.match(JSON.stringify(said.at(-1)), /The worker ended: out of memory/);
  assert.equal(workers[1].isEnded, true);
});
