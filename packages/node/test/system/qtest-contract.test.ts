// The contracts of PCI and DMA ports on a function that QEMU made: its edu device.

import assert from "node:assert/strict";
import { test } from "node:test";
import { runContract } from "@drydock/core/ports/contract";
import { dmaContract } from "@drydock/core/ports/dma.contract";
import type { PciHostPort } from "@drydock/core/ports/pci-host";
import { pciHostContract, RecordingPciClient } from "@drydock/core/ports/pci-host.contract";
import { RamArena } from "@drydock/core/transports/qtest/ram-arena";
import { HostClock } from "../../src/host/host-clock.ts";
import { findQtestQemu, QemuQtest } from "../../src/transports/qemu-qtest.ts";
import { createSharedRam } from "../../src/transports/shared-ram.ts";

const found = findQtestQemu();
const skip = "missing" in found ? found.missing : false;
const binary = "path" in found ? found.path : "";

/** Registers of edu: the liveness check answers the complement of what was written. */
const liveness = 0x04;
const dmaSource = 0x80;
const dmaTarget = 0x88;
const dmaCount = 0x90;
const dmaCommand = 0x98;
const buffer = 0x40000;
const dmaNs = 100_000_000;

async function withEdu(run: (edu: PciHostPort, qemu: QemuQtest, arena: RamArena) => Promise<void>) {
  await withDevices(["-device", "edu,addr=7"], run);
}

/** A QEMU with one PCI function. */
async function withDevices(
  devices: readonly string[],
  run: (port: PciHostPort, qemu: QemuQtest, arena: RamArena, clock: HostClock) => Promise<void>,
) {
  const clock = new HostClock();
  const ram = createSharedRam(64 << 20);
  const arena = new RamArena(ram.bytes);
  const ports: PciHostPort[] = [];
  const qemu = await QemuQtest.start({ binary, clock, steps: clock, devices, ram, arena }, (machine) =>
    machine.onAttach((port) => ports.push(port)),
  );
  try {
    assert.equal(ports.length, 1);
    await run(ports[0], qemu, arena, clock);
  } finally {
    await qemu.close();
    clock.stop();
    ram.close();
  }
}

test("edu's port keeps the contract of PCI ports", { skip }, async () => {
  const results = await runContract(pciHostContract, async () => {
    let bench: Parameters<(typeof pciHostContract)[number]["run"]>[0] | null = null;
    await new Promise<void>((ready, failed) => {
      withEdu(async (port, qemu) => {
        const client = new RecordingPciClient();
        port.connect(client);
        let isOver = false;
        bench = {
          port,
          client,
          settle: async () => {
            do await new Promise((resolve) => setTimeout(resolve, 5));
            while (qemu.qtest.pending > 0);
          },
          register: { range: 0, offset: liveness, expected: (value) => ~value >>> 0 },
          unplug: () => {
            isOver = true;
            qemu.machine.die();
          },
        };
        ready();
        // The bench lives as long as its check, a moment each.
        await new Promise((resolve) => setTimeout(resolve, isOver ? 0 : 1500));
      }).catch(failed);
    });
    assert.ok(bench !== null);
    return bench;
  });
  assert.equal(results.length, 7);
  assert.deepEqual(
    results.filter(({ problem }) => problem !== null),
    [],
  );
});

test("edu's DMA keeps the contract of DMA ports, on physical addresses", { skip }, async () => {
  await withEdu(async (port, qemu, arena) => {
    const base = port.ranges[0].address;
    const { qtest } = qemu;
    const word = (offset: number, value: number) =>
      qtest.send(`writeq 0x${(base + offset).toString(16)} 0x${value.toString(16)}`);
    // Memory decode and bus master.
    port.configWrite(4, 2, 6);
    /** One transfer of edu's engine, which takes 100 ms of QEMU's own time. */
    const transfer = async (source: number, target: number, count: number, command: number) => {
      word(dmaSource, source);
      word(dmaTarget, target);
      word(dmaCount, count);
      word(dmaCommand, command);
      await qtest.ask(`clock_step ${dmaNs}`);
    };
    const pages = async (count: number, each: (at: number, length: number) => Promise<void>) => {
      // Its bounds check is one byte short: 4095 at most.
      for (let at = 0; at < count; at += 2048) await each(at, Math.min(2048, count - at));
    };
    const results = await runContract(dmaContract, async () => ({
      port: port.dma,
      deviceRead: async (address: number, lengthBytes: number) => {
        const bytes = new Uint8Array(lengthBytes);
        const back = arena.allocate(2048);
        await pages(lengthBytes, async (at, length) => {
          await transfer(address + at, buffer, length, 1);
          await transfer(buffer, arena.addressOf(back) as number, length, 3);
          bytes.set(back.subarray(0, length), at);
        });
        arena.release(back);
        return bytes;
      },
      deviceWrite: async (address: number, bytes: Uint8Array) => {
        const from = arena.allocate(2048);
        await pages(bytes.length, async (at, length) => {
          from.set(bytes.subarray(at, at + length));
          await transfer(arena.addressOf(from) as number, buffer, length, 1);
          await transfer(buffer, address + at, length, 3);
        });
        arena.release(from);
      },
      allocate: (lengthBytes: number) => arena.allocate(lengthBytes),
    }));
    assert.deepEqual(
      results.filter(({ problem }) => problem !== null),
      [],
    );
  });
});

test("QEMU's clock is moved in step with ours: edu's engine takes 100 ms of it, and not a moment less", {
  skip,
}, async () => {
  await withDevices(["-device", "edu,addr=7"], async (port, qemu, arena, clock) => {
    const base = port.ranges[0].address;
    const { qtest } = qemu;
    port.configWrite(4, 2, 6);
    const word = (offset: number, value: number) =>
      qtest.send(`writeq 0x${(base + offset).toString(16)} 0x${value.toString(16)}`);
    const from = arena.allocate(2048);
    const isBusy = async () =>
      ((await qtest.ask(`readl 0x${(base + dmaCommand).toString(16)}`)).low & 1) === 1;
    word(dmaSource, arena.addressOf(from) as number);
    word(dmaTarget, buffer);
    word(dmaCount, 2048);
    qemu.machine.stepClock();
    const beganNs = clock.nowNs();
    word(dmaCommand, 1);
    assert.equal(await isBusy(), true);
    // Nobody steps here: the process's own clockwork does.
    for (let tries = 0; tries < 1000 && (await isBusy()); tries++)
      await new Promise((resolve) => setTimeout(resolve, 2));
    assert.equal(await isBusy(), false);
    assert.ok(clock.nowNs() - beganNs >= dmaNs, `${clock.nowNs() - beganNs} ns`);
  });
});

test("errors that QEMU injects climb to the root port: kind, source, and gone once they were taken", {
  skip,
}, async () => {
  const devices = [
    ...["-device", "pcie-root-port,id=rp,bus=pcie.0,addr=3,chassis=1,slot=1"],
    ...["-device", "virtio-net-pci,bus=rp,id=vn,aer=on,disable-legacy=on,romfile="],
  ];
  await withDevices(devices, async (port, { machine, qmp }) => {
    const bit = { uncorrectable: 0x04, nonFatal: 0x20, fatal: 0x40 };
    await machine.reportErrors(port);
    assert.deepEqual(await machine.takeErrors(port), { status: 0, source: 0 });
    for (const kind of ["COMP_TIME", "COMP_ABORT", "UNSUP"]) {
      await qmp.human(`pcie_aer_inject_error vn ${kind}`);
      const { status, source } = await machine.takeErrors(port);
      assert.equal(status, bit.uncorrectable | bit.nonFatal, kind);
      assert.equal(source, 0x0100, "bus 1, device 0");
    }
    await qmp.human("pcie_aer_inject_error vn MALF_TLP");
    const { status } = await machine.takeErrors(port);
    assert.equal(status & (bit.uncorrectable | bit.fatal), bit.uncorrectable | bit.fatal);
    assert.equal((await machine.takeErrors(port)).status, 0);
  });
});
