// PCI and NVMe: 4 KiB reads on our model and on QEMU's, register accesses, DMA mappings, interrupts.

import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VirtualClock } from "@drydock/core/base/virtual-clock";
import { NvmeIo, newCommand, phaseAt, writeCommand } from "@drydock/core/codec/nvme/commands";
import { writeRequest } from "@drydock/core/codec/qtest/qtest";
import { PciBoardDevice, PciBoardRegister } from "@drydock/core/devices/pci-board/pci-board-device";
import type { IOMedia } from "@drydock/core/families/block/io-media";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import type { PciHostPort } from "@drydock/core/ports/pci-host";
import { defaultNvmeRig } from "@drydock/core/rigs/nvme-rig";
import { PciRig } from "@drydock/core/rigs/pci-rig";
import { defaultRaidRig } from "@drydock/core/rigs/raid-rig";
import { IOService } from "@drydock/core/runtime/service";
import { RamArena } from "@drydock/core/transports/qtest/ram-arena";
import { SimIommu } from "@drydock/core/transports/sim/iommu";
import { HostClock } from "@drydock/node/host/host-clock";
import { hostTurn } from "@drydock/node/host-turn";
import { type NvmeOnQemu, openQemuMedia, startNvmeOnQemu } from "@drydock/node/transports/nvme-on-qemu";
import { findQtestQemu, QemuQtest } from "@drydock/node/transports/qemu-qtest";
import { createSharedRam } from "@drydock/node/transports/shared-ram";
import type { BenchTable } from "./run.ts";

const rounds = 5;
const blocksEach = 8;
const bytesEach = 4096;
const places = 8192;
const bareEntries = 256;

function note(figures: Record<string, number[]>, name: string, value: number): void {
  figures[name] = [...(figures[name] ?? []), value];
}

/** Operations for each second of this process's own CPU: what one core does, whoever else works here. */
async function perCpuSecond(count: number, work: () => Promise<void> | void): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return count / ((user + system) / 1e6);
}

/** Keeps `depth` reads under way until `count` have completed; resolves when they have. */
function reads(media: IOMedia, depth: number, count: number): { start: () => void; isDone: () => boolean } {
  let asked = 0;
  let done = 0;
  let failed = 0;
  const buffers = Array.from({ length: depth }, () => new Uint8Array(bytesEach));
  const next = (slot: number): void => {
    if (asked >= count) return;
    media.read(slot, ((asked++ * 7) % places) * blocksEach, blocksEach, buffers[slot], 0);
  };
  media.connect({
    completed: (slot, status) => {
      done++;
      if (status !== 0) failed++;
      next(slot);
    },
    detached: () => {},
  });
  return {
    start: () => {
      for (let slot = 0; slot < depth; slot++) next(slot);
    },
    isDone: () => {
      if (failed > 0) throw new Error(`${failed} reads failed`);
      return done >= count;
    },
  };
}

async function onModel(depth: number, count: number): Promise<number> {
  const rig = defaultNvmeRig(1, hostTurn, {
    timing: "none",
    trace: false,
    device: { latencyNs: [0, 0], hasWriteCache: false },
  });
  const media = await rig.openMedia();
  const [disk] = rig.device.disks;
  const pattern = new Uint8Array(1 << 20).fill(0x5a);
  for (let at = 0; at < 32; at++) disk.write(at * 2048, 2048, pattern, 0, true);
  const run = reads(media, depth, count);
  return perCpuSecond(count, async () => {
    run.start();
    await rig.machine.scheduler.run(Number.POSITIVE_INFINITY, run.isDone);
  });
}

/** The same behind the host adapter: class driver, dext, MFI frames, SCSI disk. */
async function onRaid(depth: number, count: number): Promise<number> {
  const rig = defaultRaidRig(1, hostTurn, {
    timing: "none",
    trace: false,
    device: { latencyNs: [0, 0] },
  });
  const media = await rig.openMedia();
  const run = reads(media, depth, count);
  return perCpuSecond(count, async () => {
    run.start();
    await rig.machine.scheduler.run(Number.POSITIVE_INFINITY, run.isDone);
  });
}

/** Register reads by a driver's promise, and posted writes. */
async function registers(count: number): Promise<{ reads: number; writes: number; interrupts: number }> {
  const profile = { ...platformProfile("open") };
  const rig = new PciRig({ seed: 1, turn: hostTurn, profile, timing: "none", trace: false });
  const { machine, pci, family } = rig;
  const board = new PciBoardDevice({ clock: machine.scheduler });
  pci.bus.plugIn(board, 1);
  await machine.run(1e9);
  const [device] = family.devices;
  const client = machine.publish({ kernelClass: "IOService" }, (context) => new IOService(context));
  let reads = 0;
  let writes = 0;
  await machine.perform(async () => {
    await device.open(client);
    device.configurationWrite16(4, 6);
    reads = await perCpuSecond(count, async () => {
      for (let each = 0; each < count; each++) await device.memoryRead32(0, PciBoardRegister.scratch);
    });
    writes = await perCpuSecond(count, async () => {
      for (let each = 0; each < count; each++) {
        device.memoryWrite32(0, PciBoardRegister.scratch, each);
        if (each % 1000 === 999) await machine.scheduler.sleep(1000);
      }
      await device.memoryRead32(0, PciBoardRegister.scratch);
    });
    await device.configureInterrupts(0x20000, 1, 1);
  });
  let delivered = 0;
  device.registerInterrupt(1, () => delivered++);
  const raise = (left: number): void => {
    board.interrupt(0);
    if (left > 1) machine.scheduler.after(0, raise, left - 1);
  };
  const interrupts = await perCpuSecond(count, async () => {
    machine.scheduler.after(0, raise, count);
    await machine.scheduler.run(Number.POSITIVE_INFINITY, () => delivered >= count);
  });
  return { reads, writes, interrupts };
}

async function mappings(count: number): Promise<number> {
  const iommu = new SimIommu({ clock: new VirtualClock(), pageBytes: 16_384 });
  const port = iommu.portFor("01:00.0");
  const memory = new Uint8Array(bytesEach);
  return perCpuSecond(count, () => {
    for (let each = 0; each < count; each++) {
      const mapping = port.map(memory, 1, "bench");
      if (typeof mapping === "number") throw new Error("refused");
      port.unmap(mapping);
    }
  });
}

/** Reads through the whole stack on QEMU's controller, per second of the clock. */
async function stackOnQemu(on: NvmeOnQemu, media: IOMedia, depth: number, count: number): Promise<number> {
  const run = reads(media, depth, count);
  const begin = performance.now();
  on.runner.ready(run.start, undefined);
  while (!run.isDone()) await new Promise((resolve) => setImmediate(resolve));
  return (count * 1000) / (performance.now() - begin);
}

/**
 * The protocol's own ceiling: queues, doorbells and memory by hand on a QEMU of its own, without a machine, a driver or a
 * block layer. Completions are polled in shared memory.
 */
class BareNvme {
  readonly #qemu: QemuQtest;
  readonly #arena: RamArena;
  readonly #base: number;
  readonly #close: () => Promise<void>;
  readonly #submissions: Uint8Array;
  readonly #completions: Uint8Array;
  readonly #data: Uint8Array;
  #tail = 0;
  #head = 0;
  #phase = 1;

  private constructor(qemu: QemuQtest, arena: RamArena, base: number, close: () => Promise<void>) {
    this.#qemu = qemu;
    this.#arena = arena;
    this.#base = base;
    this.#close = close;
    this.#submissions = arena.allocate(bareEntries * 64);
    this.#completions = arena.allocate(bareEntries * 16);
    this.#data = arena.allocate(32 * bytesEach);
  }

  static async start(binary: string, image: string): Promise<BareNvme> {
    const clock = new HostClock();
    const ram = createSharedRam(64 << 20);
    const arena = new RamArena(ram.bytes);
    const drive = `driver=raw,node-name=d0,file.driver=file,file.filename=${image},file.locking=off`;
    const devices = ["-blockdev", drive, "-device", "nvme,serial=BARE,drive=d0,addr=5"];
    const ports: PciHostPort[] = [];
    const qemu = await QemuQtest.start({ binary, clock, steps: clock, devices, ram, arena }, (machine) =>
      machine.onAttach((port) => ports.push(port)),
    );
    const bare = new BareNvme(qemu, arena, ports[0].ranges[0].address, async () => {
      await qemu.close();
      clock.stop();
      ram.close();
    });
    ports[0].configWrite(4, 2, 6);
    await bare.#bringUp();
    return bare;
  }

  close(): Promise<void> {
    return this.#close();
  }

  async #bringUp(): Promise<void> {
    const [submissions, completions] = [this.#arena.allocate(4096), this.#arena.allocate(4096)];
    const wait = async (isDone: () => boolean): Promise<void> => {
      while (!isDone()) await new Promise((resolve) => setImmediate(resolve));
    };
    this.#ring(0x24, 15 | (15 << 16));
    this.#ring(0x28, this.#address(submissions));
    this.#ring(0x30, this.#address(completions));
    this.#ring(0x14, 0x460001);
    let status = 0;
    while ((status & 1) === 0)
      status = (await this.#qemu.qtest.ask(`readl 0x${(this.#base + 0x1c).toString(16)}`)).low;
    const create = { ...newCommand(), opcode: 5, prp1: this.#address(this.#completions), dw11: 1 };
    create.dw10 = (1 | ((bareEntries - 1) << 16)) >>> 0;
    writeCommand(submissions, 0, create);
    this.#ring(0x1000, 1);
    await wait(() => phaseAt(completions, 0) === 1);
    writeCommand(submissions, 64, {
      ...create,
      opcode: 1,
      prp1: this.#address(this.#submissions),
      dw11: 1 | (1 << 16),
    });
    this.#ring(0x1000, 2);
    await wait(() => phaseAt(completions, 16) === 1);
  }

  async reads(depth: number, count: number): Promise<number> {
    const command = newCommand();
    let asked = 0;
    let done = 0;
    const push = (): void => {
      if (asked >= count) return;
      command.opcode = NvmeIo.read;
      command.commandId = asked & 0xffff;
      command.namespaceId = 1;
      command.prp1 = this.#address(this.#data) + (asked % depth) * bytesEach;
      command.dw10 = ((asked++ * 7) % places) * blocksEach;
      command.dw12 = blocksEach - 1;
      writeCommand(this.#submissions, this.#tail * 64, command);
      this.#tail = (this.#tail + 1) % bareEntries;
    };
    const begin = performance.now();
    for (let each = 0; each < depth; each++) push();
    this.#ring(0x1008, this.#tail);
    while (done < count) {
      const before = done;
      while (phaseAt(this.#completions, this.#head * 16) === this.#phase) {
        done++;
        push();
        this.#head++;
        if (this.#head === bareEntries) {
          this.#head = 0;
          this.#phase ^= 1;
        }
      }
      if (done > before) {
        this.#ring(0x1008, this.#tail);
        this.#ring(0x100c, this.#head);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    return (count * 1000) / (performance.now() - begin);
  }

  #ring(offset: number, value: number): void {
    this.#qemu.qtest.send(writeRequest(this.#base + offset, 4, value));
  }

  #address(memory: Uint8Array): number {
    return this.#arena.addressOf(memory) as number;
  }
}

async function onQemu(): Promise<BenchTable[]> {
  const found = findQtestQemu();
  if ("missing" in found)
    return [{ title: "NVMe on QEMU", unit: "reads/s", rows: [], note: `Not measured: ${found.missing}.` }];
  const folder = mkdtempSync(join(tmpdir(), "drydock-perf-pci-"));
  const image = join(folder, "disk.img");
  writeFileSync(image, "");
  truncateSync(image, 64 << 20);
  const on = await startNvmeOnQemu({ image, rig: { trace: false }, messages: "memory" });
  const bare = await BareNvme.start(found.path, image);
  try {
    const media = await openQemuMedia(on);
    const figures: Record<string, number[]> = {};
    for (let round = 0; round < rounds; round++) {
      for (const [depth, count] of [
        [1, 3000],
        [32, 60_000],
      ] as const) {
        note(figures, `stack, depth ${depth}`, await stackOnQemu(on, media, depth, count));
        note(figures, `bare protocol, depth ${depth}`, await bare.reads(depth, count));
      }
    }
    return [
      {
        title: "NVMe 4 KiB reads on QEMU over qtest",
        unit: "reads/s",
        rows: Object.entries(figures).map(([name, rounds]) => ({ name, rounds })),
        note: "Stack: block layer, our driver, qtest, messages in shared RAM, looked for at each turn of the event loop. Bare protocol: queues by hand on another QEMU, completions polled in shared memory, no interrupts. In turn, in one run. The floor is 0.8 of the bare protocol's. At depth 32 both send two doorbells for each 32 reads; our side takes a twentieth of the time, the rest is QEMU's.",
      },
    ];
  } finally {
    await bare.close();
    await on.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

export async function bench(): Promise<BenchTable[]> {
  const model: Record<string, number[]> = {};
  const raid: Record<string, number[]> = {};
  const parts: Record<string, number[]> = {};
  // Before the first that counts the engine has compiled what runs often; one kind of controller after the other, as a
  // process has them.
  await onModel(1, 100_000);
  for (let round = 0; round < rounds; round++) {
    note(model, "depth 1", await onModel(1, 400_000));
    note(model, "depth 32", await onModel(32, 800_000));
  }
  await onRaid(1, 100_000);
  for (let round = 0; round < rounds; round++) {
    note(raid, "depth 1", await onRaid(1, 400_000));
    note(raid, "depth 32", await onRaid(32, 600_000));
  }
  for (let round = 0; round < rounds; round++) {
    const { reads, writes, interrupts } = await registers(100_000);
    note(parts, "register reads, each awaited by a driver", reads);
    note(parts, "register writes, posted", writes);
    note(parts, "interrupts: message, dispatch by the family", interrupts);
    note(parts, "DMA map and unmap of 4 KiB", await mappings(300_000));
  }
  const rows = (figures: Record<string, number[]>) =>
    Object.entries(figures).map(([name, rounds]) => ({ name, rounds }));
  return [
    {
      title: "NVMe 4 KiB reads on our model, in process",
      unit: "reads for each CPU second",
      rows: rows(model),
      note: "Block layer, DMA mapping, driver, PCI bus, controller model, interrupt and back; no time on the link or in the controller. Floor 400 k per core, moonshot 1.0 M. At depth 1 each read takes five steps of the scheduler (hand-over, link, controller, interrupt, answer); at depth 32 they are shared, one doorbell serves all reads that come together, and a profile has a fifth of the time in copying data that no cache holds.",
    },
    {
      title: "RAID 4 KiB reads on our model, in process",
      unit: "reads for each CPU second",
      rows: rows(raid),
      note: "Block layer, SCSI class driver, host adapter's dext with DMA mapping, PCI bus, MFI frames, SCSI disk, interrupt and back; no time on the link or in the controller. Floor 250 k per core, moonshot 1.0 M.",
    },
    {
      title: "Parts of PCI",
      unit: "for each CPU second",
      rows: rows(parts),
      note: "On the simulated bus without link time.",
    },
    ...(await onQemu()),
  ];
}
