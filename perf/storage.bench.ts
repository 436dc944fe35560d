// Block requests through the whole storage stack in process: block, SCSI, UAS or Bulk-Only, bus, model, and back.

import { VirtualClock } from "@drydock/core/base/virtual-clock";
import { writeReadWrite } from "@drydock/core/codec/scsi/cdb";
import { UsbSpeed } from "@drydock/core/codec/usb/usb-speed";
import { ScsiDiskDevice } from "@drydock/core/devices/scsi-disk/scsi-disk-device";
import { ScsiStatus, ScsiTask } from "@drydock/core/ports/scsi-target";
import { defaultStorageRig } from "@drydock/core/rigs/storage-rig";
import { hostTurn } from "@drydock/node/host-turn";
import type { BenchTable } from "./run.ts";

const rounds = 3;

interface Figure {
  readonly rate: number;
  readonly cpuUs: number;
}

/** `count` requests of `bytes`, `depth` under way, on the first 32 MiB, at a stride that visits all of it. */
async function measure(
  transport: "bulk-only" | "uas",
  isWrite: boolean,
  bytes: number,
  depth: number,
  count: number,
): Promise<Figure> {
  const rig = defaultStorageRig(1, hostTurn, {
    timing: "none",
    trace: false,
    policy: transport,
    device: { speed: UsbSpeed.super },
  });
  const media = await rig.openMedia();
  const blocks = bytes / media.geometry.blockBytes;
  const fillBlocks = 1_048_576 / media.geometry.blockBytes;
  const pattern = new Uint8Array(1_048_576).fill(0x5a);
  const places = Math.floor((32 * 1024 * 1024) / bytes);
  const buffers = Array.from({ length: depth }, () => new Uint8Array(bytes));
  let asked = 0;
  let done = 0;
  let failed = 0;
  // Reads must find written blocks: a sparse store answers unwritten ones without looking.
  let fill = 32;
  let isFilled = false;
  const next = (slot: number): void => {
    if (fill > 0) {
      fill--;
      media.write(slot, fill * fillBlocks, fillBlocks, pattern, 0, false);
      return;
    }
    if (asked >= count) return;
    const block = ((asked++ * 7) % places) * blocks;
    if (isWrite) media.write(slot, block, blocks, buffers[slot], 0, false);
    else media.read(slot, block, blocks, buffers[slot], 0);
  };
  media.connect({
    completed: (slot, status) => {
      if (!isFilled) {
        isFilled = fill === 0;
        if (!isFilled) next(slot);
        return;
      }
      done++;
      if (status !== 0) failed++;
      next(slot);
    },
    detached: () => {},
  });
  next(0);
  await rig.machine.scheduler.run(Number.POSITIVE_INFINITY, () => isFilled);
  const cpu = process.cpuUsage();
  const started = performance.now();
  for (let slot = 0; slot < depth; slot++) next(slot);
  await rig.machine.scheduler.run(Number.POSITIVE_INFINITY, () => done >= count);
  const seconds = (performance.now() - started) / 1000;
  const used = process.cpuUsage(cpu);
  if (failed > 0) throw new Error(`${failed} requests failed`);
  return { rate: count / seconds, cpuUs: (used.user + used.system) / count };
}

/** The SCSI target alone: one command after another at its port, with nothing above it. */
function measureUnit(isWrite: boolean, bytes: number, count: number): Figure {
  const disk = new ScsiDiskDevice({ clock: new VirtualClock(), units: [{ blockCount: 131_072 }] });
  disk.connect({ finished: () => {} });
  const task = new ScsiTask();
  task.data = new Uint8Array(bytes).fill(0x5a);
  const blocks = bytes / 512;
  const places = Math.floor((32 * 1024 * 1024) / bytes);
  const ask = (kind: "read" | "write", place: number): void => {
    task.cdbBytes = writeReadWrite(task.cdb, kind, 10, place * blocks, blocks);
    task.dataBytes = bytes;
    if (!disk.begin(task)) disk.execute(task);
  };
  // The first command hears of the power-on.
  ask("write", 0);
  for (let place = 0; place < places; place++) ask("write", place);
  const cpu = process.cpuUsage();
  const started = performance.now();
  let failed = 0;
  for (let asked = 0; asked < count; asked++) {
    ask(isWrite ? "write" : "read", (asked * 7) % places);
    if (task.status !== ScsiStatus.good || task.movedBytes !== bytes) failed++;
  }
  const seconds = (performance.now() - started) / 1000;
  const used = process.cpuUsage(cpu);
  if (failed > 0) throw new Error(`${failed} commands failed`);
  return { rate: count / seconds, cpuUs: (used.user + used.system) / count };
}

export async function bench(): Promise<BenchTable[]> {
  const rates = new Map<string, number[]>();
  const megabytes = new Map<string, number[]>();
  const cpu = new Map<string, number[]>();
  const add = (table: Map<string, number[]>, name: string, value: number) =>
    table.set(name, [...(table.get(name) ?? []), value]);
  for (let round = 0; round < rounds; round++) {
    for (const isWrite of [false, true]) {
      const name = `SCSI disk alone ${isWrite ? "write" : "read"}`;
      const small = measureUnit(isWrite, 4096, 400_000);
      add(rates, `${name}, 4 KiB`, small.rate);
      add(cpu, `${name}, 4 KiB`, small.cpuUs);
      add(megabytes, `${name}, 1 MiB`, measureUnit(isWrite, 1 << 20, 2_000).rate * 1.048576);
    }
    for (const transport of ["uas", "bulk-only"] as const) {
      for (const isWrite of [false, true]) {
        for (const depth of [1, 32]) {
          const name = `${transport} ${isWrite ? "write" : "read"} depth ${depth}`;
          const small = await measure(transport, isWrite, 4096, depth, 100_000);
          add(rates, `${name}, 4 KiB`, small.rate);
          add(cpu, `${name}, 4 KiB`, small.cpuUs);
          const large = await measure(transport, isWrite, 1 << 20, depth, 1_000);
          add(megabytes, `${name}, 1 MiB`, large.rate * 1.048576);
        }
      }
    }
  }
  const table = (title: string, unit: string, values: Map<string, number[]>, note: string): BenchTable => ({
    title,
    unit,
    rows: [...values].map(([name, figures]) => ({ name, rounds: figures })),
    note,
  });
  return [
    table(
      "Requests",
      "requests per second",
      rates,
      "BlockPort to SCSI disk model and back in callback form, virtual time without wire time, trace off. Every request is three or more USB transfers, a scheduler step or more each. The aim is 600 000: missed. A profile of UAS reads at depth 32 has 17 % in the copy from the store, 7 % in the collector (800 bytes for each request: views of buffers) and the rest in some forty functions of 5 % and less: a request is four transfers, each with a step of the scheduler, a due instant of the clock and a service of its queue; Bulk-Only is three. Recorded at the priority of `chrt -r 3` on a machine of two cores that others used. The SCSI disk alone is begun and executed at its port; most of its time is the copy of 4 KiB to or from memory that no cache holds.",
    ),
    table(
      "Bytes",
      "MB/s",
      megabytes,
      "Two copies each way: between host and device buffers, and to the store.",
    ),
    table("CPU", "microseconds per request", cpu, "User and system time of the whole process."),
  ];
}
