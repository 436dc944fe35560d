// Frames through driver and model in process: 64 and 1514 bytes, 1, 8 and 32 of them in a transfer, both ways.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { Clock } from "@drydock/core/base/clock";
import { CdcNcmDevice } from "@drydock/core/devices/cdc-ncm/cdc-ncm-device";
import { ListeningStation } from "@drydock/core/devices/ethernet-far-ends";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import { EthernetSend } from "@drydock/core/ports/ethernet";
import { makeNetworkDevice, type NetworkAdapter, NetworkRig } from "@drydock/core/rigs/network-rig";
import { hostTurn } from "@drydock/node/host-turn";
import type { BenchTable } from "./run.ts";

const rounds = 5;
const warmUp = 50_000;
const aggregations = [1, 8, 32] as const;
const sizes = [64, 1514] as const;

/** A rig whose interface is enabled, and what happens at both of its ends. */
async function bringUp(make: (clock: Clock) => NetworkAdapter) {
  const station = new ListeningStation();
  const rig = new NetworkRig({
    ...{ seed: 1, turn: hostTurn, profile: platformProfile("open"), timing: "none" },
    ...{ trace: false, record: "wire" },
    adapters: (clock) => [make(clock)],
    farEnd: () => station,
  });
  const { scheduler } = rig.machine;
  await scheduler.run(5e9, () => rig.interfaces[0]?.link.isUp === true);
  const [port] = rig.interfaces;
  const ends = { received: 0, onRoom: () => {}, onFrame: () => {} };
  let isEnabled = false;
  port.open({
    enabled: () => {
      isEnabled = true;
    },
    frame: () => {
      ends.received++;
      ends.onFrame();
    },
    writable: () => ends.onRoom(),
    ...{ linkChanged: () => {}, hungUp: () => {} },
  });
  await scheduler.run(scheduler.nowNs() + 5e9, () => isEnabled);
  return { rig, station, scheduler, port, ends, adapter: rig.adapters[0] };
}
type Bench = Awaited<ReturnType<typeof bringUp>>;

function frameOf(length: number, to: Uint8Array): Uint8Array {
  const frame = new Uint8Array(length);
  frame.set(to);
  return frame;
}

/** The program sends as fast as there is room. */
async function sendOut(
  { ends, port, scheduler, station }: Bench,
  length: number,
  count: number,
): Promise<void> {
  const frame = frameOf(length, Uint8Array.of(2, 0, 0, 0, 0, 9));
  const last = station.frames + count;
  let left = count;
  const send = (): void => {
    while (left > 0 && port.send(frame, 0, length) === EthernetSend.accepted) left--;
  };
  ends.onRoom = send;
  send();
  await scheduler.run(Number.POSITIVE_INFINITY, () => station.frames >= last);
}

/** The station sends so many at a time, and again when they have come. */
async function takeIn(
  { adapter, ends, port, scheduler }: Bench,
  length: number,
  count: number,
  together: number,
): Promise<void> {
  const frame = frameOf(length, port.macAddress);
  const last = ends.received + count;
  let due = ends.received;
  const say = (): void => {
    due = ends.received + together * 2;
    for (let index = 0; index < together * 2; index++) adapter.jack.frame(frame, 0, length);
  };
  ends.onFrame = () => {
    if (ends.received === due) scheduler.after(0, say, undefined);
  };
  say();
  await scheduler.run(Number.POSITIVE_INFINITY, () => ends.received >= last);
}

async function rateOf(count: number, run: (count: number) => Promise<void>): Promise<number> {
  await run(warmUp);
  const started = performance.now();
  await run(count);
  return (count * 1000) / (performance.now() - started);
}

/** iperf3 in a Linux guest, by network card: megabits per second out and in; null with what is missing. */
function guestFigures(): { rows: { name: string; rounds: number[] }[]; missing: string | null } {
  const main = join(import.meta.dirname, "../packages/node/test/guest/iperf-main.ts");
  const { stdout, stderr } = spawnSync(process.execPath, [main, "4"], { encoding: "utf8", timeout: 600_000 });
  const last = stdout.trim().split("\n").at(-1) ?? "";
  if (!last.startsWith("{")) throw new Error(`iperf-main said: ${last}${stderr}`);
  const { figures = {}, missing = null } = JSON.parse(last) as {
    figures?: Record<string, { out: number; in: number }>;
    missing?: string | null;
  };
  const rows = Object.entries(figures).flatMap(([name, { in: back, out }]) => [
    { name: `${name}, out of the guest`, rounds: [out] },
    { name: `${name}, into the guest`, rounds: [back] },
  ]);
  return { rows, missing };
}

export async function bench(): Promise<BenchTable[]> {
  const frames = new Map<string, number[]>();
  const gigabits = new Map<string, number[]>();
  const add = (name: string, length: number, rate: number): void => {
    frames.set(name, [...(frames.get(name) ?? []), rate]);
    if (length === 1514) gigabits.set(name, [...(gigabits.get(name) ?? []), (rate * length * 8) / 1e9]);
  };
  for (let round = 0; round < rounds; round++)
    for (const length of sizes) {
      const count = length === 64 ? 400_000 : 100_000;
      for (const together of aggregations) {
        const ncm = () =>
          new CdcNcmDevice({
            parameters: { outMaxDatagrams: together, inMaxSize: 65_536, outMaxSize: 65_536 },
          });
        const name = `NCM, ${together} in a transfer, ${length} B`;
        add(`${name}, out`, length, await rateOf(count, bindOut(await bringUp(ncm), length)));
        const bench = await bringUp(ncm);
        add(`${name}, in`, length, await rateOf(count, (many) => takeIn(bench, length, many, together)));
      }
      const chip = (clock: Clock) => makeNetworkDevice("ax88772c", clock);
      add(
        `AX88772C, ${length} B, out`,
        length,
        await rateOf(count / 4, bindOut(await bringUp(chip), length)),
      );
      const bench = await bringUp(chip);
      const few = length === 64 ? 32 : 6;
      add(
        `AX88772C, ${length} B, in`,
        length,
        await rateOf(count / 4, (many) => takeIn(bench, length, many, few)),
      );
    }
  const guest = guestFigures();
  const rowsOf = (table: ReadonlyMap<string, number[]>) =>
    [...table].map(([name, values]) => ({ name, rounds: values }));
  return [
    {
      title: "Frames",
      unit: "frames per second",
      rows: rowsOf(frames),
      note: "Program, interface, queues, driver, simulated bus and model, and the station at the far end, in one thread; virtual time without wire time, no trace. The driver packs what waits in its queue, up to what the device lets it; inwards the station sends two transfers' worth at a time. Floor: 1,000,000 frames of 64 B at 32 in a transfer; moonshot 3,000,000.",
    },
    {
      title: "Bits",
      unit: "Gbit/s",
      rows: rowsOf(gigabits),
      note: "The same for frames of 1514 B. Aim: 10 Gbit/s.",
    },
    {
      title: "iperf3 in a Linux guest",
      unit: "Mbit/s",
      rows: guest.rows,
      note:
        guest.missing === null
          ? "One guest without hardware virtualisation, one second NIC of it in a network namespace as the other end, all cards on one switch of ours. QEMU's usb-net is a full-speed device inside QEMU; ours come by usbredir over TCP, each transfer to this process and back. Four seconds each way, once. What bounds them is the emulated processor and QEMU's redirection: this process is idle for nine tenths of the time. Into the guest a CDC adapter loses frames when its queue is full. The AX88772C asks for silence with PAUSE frames; its far end then holds 512 frames and loses what comes beyond, and a sender's window grows to more than that (likely: in its first second it reached 90 Mbit/s)."
          : `Not measured: ${guest.missing}`,
    },
  ];
}

function bindOut(bench: Bench, length: number): (count: number) => Promise<void> {
  return (count) => sendOut(bench, length, count);
}
