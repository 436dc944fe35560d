// A dext's calls: into the system and back, an application's round trip, with JSPI and with threads.

import { join } from "node:path";
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

const asRows = (rows: readonly Row[]): BenchRow[] =>
  rows.map(([name, figures]) => ({ name, rounds: figures }));

export async function bench(): Promise<BenchTable[]> {
  const jspi = await measure("jspi", { roundTrips: 5000, calls: 300_000, waits: 20_000 });
  const threads = await measure("threads", { roundTrips: 2000, calls: 50_000, waits: 5000 });
  return [
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
