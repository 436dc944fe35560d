// Rigs, scenarios, steps and plug cycles per second and core: what every campaign multiplies.

import { SmallUsbDevice } from "@drydock/core/devices/small-usb-device";
import {
  IOService,
  type IOUSBHostInterface,
  kIOMemoryDirectionIn,
  usbBundle,
} from "@drydock/core/families/usb/usb-driver-kit";
import { findRig } from "@drydock/core/rigs/catalogue";
import { ownUsbRig } from "@drydock/core/rigs/own-rig";
import { recordWorkload, runWithFaults, singleFaults } from "@drydock/core/trials/access-campaign";
import { explorables } from "@drydock/core/trials/explorables";
import { runSerialScenario } from "@drydock/core/trials/serial-campaign";
import { runStorageScenario } from "@drydock/core/trials/storage-campaign";
import { hostTurn } from "@drydock/node/host-turn";
import type { BenchTable } from "./run.ts";

const rounds = 5;
const scenarios = 1500;
const disks = 400;
const cycles = 3000;
const faulted = 400;

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

const bareIds = { idVendor: 0x1209, idProduct: 3 };

class Thermometer extends SmallUsbDevice {
  constructor() {
    super(bareIds);
  }
  protected override answerRequest(): Uint8Array {
    return Uint8Array.of(21);
  }
}

let readings = 0;

class ThermometerDriver extends IOService {
  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    const usb = provider as IOUSBHostInterface;
    await usb.open(this);
    const answer = usb.createIOBuffer(kIOMemoryDirectionIn, 1);
    await usb.deviceRequest(0xc0, 1, 0, 0, 1, answer, 1000);
    readings += answer.bytes[0] === 21 ? 1 : 0;
    answer.release();
    this.registerService();
  }
}

/** The least there is: one small device, one driver, one transfer; nothing is recorded, the wire takes no time. */
async function bareCycles(count: number): Promise<void> {
  const entry = ownUsbRig({
    name: "bare",
    summary: "a thermometer",
    devices: [{ name: "a thermometer", make: () => new Thermometer() }],
    bundles: [usbBundle(ThermometerDriver, bareIds)],
    platform: "open",
  });
  const rig = entry.build({ seed: 1, turn: hostTurn, trace: false, pacing: "none" });
  const { scheduler } = rig.machine;
  readings = 0;
  for (let cycle = 1; cycle <= count; cycle++) {
    await scheduler.run(scheduler.nowNs() + 2e9, () => readings >= cycle);
    rig.unplug(1);
    await scheduler.run(scheduler.nowNs() + 1e9);
    rig.plug(1);
  }
  if (readings < count) throw new Error(`${readings} of ${count} cycles had their transfer`);
}

/** Single faults of the serial workload, each on a fresh rig; every one strikes. */
async function faultedRuns(count: number): Promise<void> {
  const entry = explorables.find(({ name }) => name === "serial");
  if (entry === undefined) throw new Error("there is no serial scenario");
  const faults = singleFaults(await recordWorkload(entry, 1, hostTurn));
  for (let run = 0; run < count; run++) {
    const { isFired } = await runWithFaults(entry, 1, hostTurn, [faults[run % faults.length]]);
    if (!isFired) throw new Error("a fault did not strike");
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
    add("faulted serial runs", await measure(faulted, () => faultedRuns(faulted)));
    add("bare plug cycles, driver and one I/O", await measure(cycles, () => bareCycles(cycles)));
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
      "One process, one core for the machine (the collector has threads of its own). A scenario is: rig made, driver up, port opened, 120 bytes there and back, closed, unplugged, everything gone, digest. Peer: this house before the step, 388 serial scenarios a second (3.7 ms of CPU each) on the same kind of machine. A faulted run is a serial scenario with one access of it lost, late, wrong or doubled. A bare plug cycle is 36 steps: attach, reset, descriptors, match, a new process, start, one transfer, stop, nothing left; its floor of 20,000 a second is missed by a factor of two and more, and the profile is flat: the collector 13 %, two whole turns and 22 ticks of the host 20 %, the event ring 4 %, judging and launching the driver 5 %, nothing else above 2 %. The carrier of an attachment was 8 %, and takes its memory as it is used now. Fewer turns of the host per cycle (each run of the scheduler ends with a trip round the event loop, each step that a driver awaits with a tick) would have to come first.",
    ),
    table("CPU", "microseconds each", cpu, "User and system time of the whole process."),
  ];
}
