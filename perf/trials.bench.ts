// Rigs, scenarios, steps and plug cycles per second and core: what every campaign multiplies.

import { findRig } from "@drydock/core/rigs/catalogue";
import { runSerialScenario } from "@drydock/core/trials/serial-campaign";
import { runStorageScenario } from "@drydock/core/trials/storage-campaign";
import { hostTurn } from "@drydock/node/host-turn";
import type { BenchTable } from "./run.ts";

const rounds = 5;
const scenarios = 1500;
const disks = 400;
const cycles = 3000;

/** Operations of one round, by wall clock and by the CPU time of the whole process. */
interface Figure {
  readonly perSecond: number;
  readonly cpuUs: number;
}

async function measure(count: number, run: () => Promise<void>): Promise<Figure> {
  const cpu = process.cpuUsage();
  const started = performance.now();
  await run();
  const seconds = (performance.now() - started) / 1000;
  const used = process.cpuUsage(cpu);
  return { perSecond: count / seconds, cpuUs: (used.user + used.system) / count };
}

/** A rig made, run until it is up, and thrown away. */
async function rigs(name: string, count: number): Promise<void> {
  const entry = findRig(name);
  if (entry === null) throw new Error(`there is no rig ${name}`);
  for (let seed = 0; seed < count; seed++) {
    const rig = entry.build({ seed, turn: hostTurn });
    await rig.machine.scheduler.run(1e9, () => rig.ports.length > 0);
  }
}

/** One rig, its cable pulled and plugged again: driver up, driver gone, no I/O. */
async function plugCycles(count: number): Promise<void> {
  const rig = findRig("serial")?.build({ seed: 1, turn: hostTurn, trace: false });
  if (rig === undefined) throw new Error("there is no serial rig");
  const { scheduler } = rig.machine;
  for (let cycle = 0; cycle < count; cycle++) {
    const ports = rig.ports.length;
    await scheduler.run(
      scheduler.nowNs() + 2e9,
      () => rig.ports.length > ports || (cycle === 0 && ports > 0),
    );
    rig.unplug(1);
    await scheduler.run(scheduler.nowNs() + 1e9);
    rig.plug(1);
  }
}

export async function bench(): Promise<BenchTable[]> {
  const rates = new Map<string, number[]>();
  const cpu = new Map<string, number[]>();
  const add = (name: string, { cpuUs, perSecond }: Figure) => {
    rates.set(name, [...(rates.get(name) ?? []), perSecond]);
    cpu.set(name, [...(cpu.get(name) ?? []), cpuUs]);
  };
  for (let round = 0; round < rounds; round++) {
    let steps = 0;
    const serial = await measure(scenarios, async () => {
      for (let seed = 0; seed < scenarios; seed++)
        steps += (await runSerialScenario({ seed, turn: hostTurn, device: "ftdi" })).steps;
    });
    add("serial scenarios", serial);
    add("steps of serial scenarios", {
      perSecond: (serial.perSecond * steps) / scenarios,
      cpuUs: (serial.cpuUs * scenarios) / steps,
    });
    add(
      "storage scenarios",
      await measure(disks, async () => {
        for (let seed = 0; seed < disks; seed++) await runStorageScenario({ seed, turn: hostTurn });
      }),
    );
    add("serial rigs made and up", await measure(scenarios, () => rigs("serial", scenarios)));
    add("plug cycles, driver up and gone", await measure(cycles, () => plugCycles(cycles)));
  }
  const table = (
    title: string,
    unit: string,
    values: ReadonlyMap<string, readonly number[]>,
    note: string,
  ) => ({
    title,
    unit,
    rows: [...values].map(([name, figures]) => ({ name, rounds: figures })),
    note,
  });
  return [
    table(
      "Trials",
      "per second",
      rates,
      "One process, one core for the machine (the collector has threads of its own). A scenario is: rig made, driver up, port opened, 120 bytes there and back, closed, unplugged, everything gone, digest. Peer: this house before the step, 388 serial scenarios a second (3.7 ms of CPU each) on the same kind of machine.",
    ),
    table("CPU", "microseconds each", cpu, "User and system time of the whole process."),
  ];
}
