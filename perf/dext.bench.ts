// A dext's calls: into the system and back, an application's round trip, with JSPI and with threads.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { IOReturns } from "@drydock/core/base/io-return";
import { LoadedDext } from "@drydock/dext/host/dext-bundle";
import { compileDext } from "@drydock/dext/run/compile-dext";
import { askedRig } from "@drydock/dext/run/dext-rig";
import { hostTurn } from "@drydock/node/host-turn";
import type { BenchRow, BenchTable } from "./run.ts";

const rounds = 5;
/** Of dext/Pace.cpp. */
const selectors = { nothing: 0, onQueue: 1, now: 2, sleep: 3, retain: 4 } as const;

interface Counts {
  readonly roundTrips: number;
  readonly calls: number;
  readonly waits: number;
}

type Row = [name: string, rounds: number[]];

async function measure(suspends: "jspi" | "threads", counts: Counts): Promise<{ rates: Row[]; trips: Row }> {
  const described = await compileDext([join(import.meta.dirname, "dext")]);
  const dext = new LoadedDext(described, { suspends });
  const { machine } = askedRig(dext.bundle, { seed: 1, turn: hostTurn });
  await machine.run(1e9);
  const application = machine.launchApplication({ name: "Pace" });
  const service = machine.registry.byClass("Pace")[0];
  const how = suspends === "jspi" ? "JSPI" : "threads";
  const trips: Row = [`ExternalMethod round trip, ${how}`, []];
  const rates: Row[] = [
    [`dext to host, 32 bits (OnQueue), ${how}`, []],
    [`dext to host, 64 bits (mach_absolute_time), ${how}`, []],
    [`dext to host and back after a wait (IOSleep), ${how}`, []],
    [`retain and release inside of the dext, ${how}`, []],
    [`host to dext (a call of a function), ${how}`, []],
  ];
  await machine.perform(async () => {
    const client = await machine.openUserClient(application, service);
    const call = async (selector: number, count: number): Promise<number> => {
      const started = performance.now();
      const { scalarOutput, status } = await client.call(selector, {
        scalarInput: [count],
        scalarOutputCount: 1,
      });
      if (status !== IOReturns.kIOReturnSuccess) throw new Error(`selector ${selector} answered ${status}`);
      if (selector === selectors.nothing && scalarOutput[0] !== count + 1) throw new Error("a wrong answer");
      return performance.now() - started;
    };
    for (let round = -1; round < rounds; round++) {
      const figures: number[] = [];
      const started = performance.now();
      for (let trip = 0; trip < counts.roundTrips; trip++) await call(selectors.nothing, trip);
      const tripUs = ((performance.now() - started) * 1000) / counts.roundTrips;
      for (const [selector, count] of [
        [selectors.onQueue, counts.calls],
        [selectors.now, counts.calls],
        [selectors.sleep, counts.waits],
        [selectors.retain, counts.calls],
      ] as const)
        figures.push((count * 1000) / (await call(selector, count)));
      const [{ engine }] = dext.processes;
      const before = performance.now();
      for (let at = 0; at < counts.calls; at++) engine.callExport("drydock_records", []);
      figures.push((counts.calls * 1000) / (performance.now() - before));
      // The first round warms up.
      if (round < 0) continue;
      trips[1].push(tripUs);
      for (const [index, figure] of figures.entries()) rates[index][1].push(figure);
    }
    client.close();
  }, application);
  dext.close();
  return { rates, trips };
}

/** Seconds from saving one of four sources to the verdict of `drydock dext test --watch`. */
async function verdicts(): Promise<number[]> {
  const folder = mkdtempSync(join(tmpdir(), "drydock-edit-"));
  const root = join(import.meta.dirname, "..");
  cpSync(join(root, "packages/dext/test/dexts/loop"), join(folder, "loop"), { recursive: true });
  const words = [join(root, "apps/cli/bin/drydock.mjs"), "dext", "test", join(folder, "loop"), "--watch"];
  const child = spawn(process.execPath, words, { stdio: ["ignore", "ignore", "pipe"] });
  const figures: number[] = [];
  try {
    const talk = createInterface(child.stderr)[Symbol.asyncIterator]();
    const source = join(folder, "loop/LoopDriver.cpp");
    for (let edit = -2; edit < rounds; edit++) {
      const begun = performance.now();
      if (edit > -2) writeFileSync(source, `${readFileSync(source, "utf8")}// An edit.\n`);
      for (;;) {
        const { done, value } = await talk.next();
        if (done) throw new Error("drydock dext test --watch ended");
        if (!/waiting for an edit/.test(value)) continue;
        if (edit > -2 && !/^1 files compiled/.test(value)) throw new Error(value);
        break;
      }
      if (edit >= 0) figures.push((performance.now() - begun) / 1000);
    }
  } finally {
    const ended = once(child, "exit");
    child.kill("SIGINT");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
  return figures;
}

const asRows = (rows: readonly Row[]): BenchRow[] =>
  rows.map(([name, figures]) => ({ name, rounds: figures }));

export async function bench(): Promise<BenchTable[]> {
  const jspi = await measure("jspi", { roundTrips: 5000, calls: 300_000, waits: 20_000 });
  const threads = await measure("threads", { roundTrips: 2000, calls: 50_000, waits: 5000 });
  const edits = await verdicts();
  return [
    {
      title: "From an edit to the verdict",
      unit: "s",
      rows: [{ name: "one of four sources saved, drydock dext test --watch", rounds: edits }],
      note: "The system's clang compiles what has changed, wasm-ld links, and 30 runs with a failing call, 30 with the cable pulled and four more are judged. The floor is 2 s.",
    },
    {
      title: "An application's call of a dext's user client",
      unit: "us",
      rows: asRows([jspi.trips, threads.trips]),
      note: "One scalar there and one back, through ExternalMethod's table of checks and the queue of the client; every call is a step of the scheduler and a turn of the host's event loop, as for drivers in TypeScript. The floor is 60 us.",
    },
    {
      title: "Calls between a dext and its host",
      unit: "calls/s",
      rows: asRows([...jspi.rates, ...threads.rates]),
      note: "Debug code (-O0), as dexts are compiled here. Without JSPI each call hands the turn to another thread and back; where the processors are busy with others, that is two wake-ups by the system, and 100 times slower.",
    },
  ];
}
