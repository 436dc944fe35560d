// USB/IP: our server against a bare socket with the same messages, and against the Linux kernel's own server.

import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import {
  encodeImportRequest,
  newUsbipHeader,
  UsbipCommand,
  usbipDeviceRecordBytes,
  usbipHeaderBytes,
  usbipOpHeaderBytes,
  writeUsbipHeader,
} from "@drydock/core/codec/usbip/usbip";
import { guestSkip, LinuxGuest } from "../packages/node/test/guest/linux-guest.ts";
import type { BenchRow, BenchTable } from "./run.ts";

const rounds = 5;
/** CPU time is counted in ticks of 10 ms: a run must be long against that. */
const tickMs = 10;

interface Work {
  readonly endpoint: number;
  readonly isIn: boolean;
  readonly length: number;
  readonly setup: Uint8Array | null;
  /** Requests under way at once. */
  readonly depth: number;
  readonly count: number;
}

const getStatus = Uint8Array.of(0x80, 0, 0, 0, 0, 0, 2, 0);
const control = (depth: number, count: number): Work => ({
  endpoint: 0,
  isIn: true,
  length: 2,
  setup: getStatus,
  depth,
  count,
});
const bulkIn = (length: number, depth: number, count: number): Work => ({
  endpoint: 3,
  isIn: true,
  length,
  setup: null,
  depth,
  count,
});
const bulkOut = (endpoint: number, length: number, depth: number, count: number): Work => ({
  endpoint,
  isIn: false,
  length,
  setup: null,
  depth,
  count,
});

/** One imported device, spoken to without our client, so that only the server is measured. */
class Client {
  readonly #socket: Socket;
  #deviceId = 0;
  #sequence = 1;
  #onBytes: (bytes: Buffer) => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (bytes: Buffer) => this.#onBytes(bytes));
    socket.on("error", () => {});
  }

  /** `busId` null: the bare socket, which knows no devices. */
  static async connect(port: number, busId: string | null): Promise<Client> {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    const client = new Client(socket);
    if (busId === null) return client;
    socket.write(encodeImportRequest(busId));
    const reply = await client.#take(
      usbipOpHeaderBytes + usbipDeviceRecordBytes,
      (bytes) => bytes.readUInt32BE(4) !== 0,
    );
    if (reply.readUInt32BE(4) !== 0)
      throw new Error(`${busId} was refused with status ${reply.readUInt32BE(4)}`);
    client.#deviceId = ((reply.readUInt32BE(8 + 288) << 16) | reply.readUInt32BE(8 + 292)) >>> 0;
    return client;
  }

  /** A control request without data, as the kernel does at configuration. */
  async configure(setup: Uint8Array): Promise<void> {
    await this.run({ endpoint: 0, isIn: false, length: 0, setup, depth: 1, count: 1 });
  }

  /** Answers seconds; rejects when an answer has an error status. */
  run(work: Work): Promise<number> {
    const header = newUsbipHeader();
    header.command = UsbipCommand.submit;
    header.deviceId = this.#deviceId;
    header.direction = work.isIn ? 1 : 0;
    header.endpoint = work.endpoint;
    header.length = work.length;
    const outBytes = work.isIn ? 0 : work.length;
    const replyBytes = usbipHeaderBytes + (work.isIn ? work.length : 0);
    let sent = 0;
    let done = 0;
    let skip = 0;
    const head = Buffer.alloc(usbipHeaderBytes);
    let headLength = 0;
    const send = (many: number): void => {
      const bytes = new Uint8Array(many * (usbipHeaderBytes + outBytes));
      for (let index = 0; index < many; index++) {
        header.sequence = this.#sequence++;
        writeUsbipHeader(bytes, index * (usbipHeaderBytes + outBytes), header, work.setup);
      }
      sent += many;
      this.#socket.write(bytes);
    };
    return new Promise((resolve, reject) => {
      const started = performance.now();
      this.#onBytes = (bytes) => {
        let at = 0;
        let finished = 0;
        while (at < bytes.length) {
          if (skip > 0) {
            const taken = Math.min(skip, bytes.length - at);
            skip -= taken;
            at += taken;
            if (skip > 0) break;
            finished++;
            continue;
          }
          const taken = Math.min(usbipHeaderBytes - headLength, bytes.length - at);
          bytes.copy(head, headLength, at, at + taken);
          headLength += taken;
          at += taken;
          if (headLength < usbipHeaderBytes) break;
          headLength = 0;
          const status = head.readInt32BE(20);
          if (status !== 0) {
            reject(new Error(`a transfer ended with ${status}`));
            return;
          }
          skip = replyBytes - usbipHeaderBytes;
          if (skip === 0) finished++;
        }
        done += finished;
        if (done === work.count) resolve((performance.now() - started) / 1000);
        else if (finished > 0 && sent < work.count) send(Math.min(finished, work.count - sent));
      };
      send(Math.min(work.depth, work.count));
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(length: number, isShort: (bytes: Buffer) => boolean): Promise<Buffer> {
    let all = Buffer.alloc(0);
    return new Promise((resolve) => {
      this.#onBytes = (bytes) => {
        all = Buffer.concat([all, bytes]);
        if (all.length >= length || (all.length >= 8 && isShort(all))) resolve(all);
      };
    });
  }
}

/** A server process, pinned to the first CPU where taskset is there. */
async function startServer(kind: "ours" | "bare"): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(
    "taskset",
    ["-c", "0", process.execPath, join(import.meta.dirname, "usbip-server.ts"), kind],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the ${kind} server ended with ${code}`)));
    child.stdout?.once("data", (text) => resolve(Number(text)));
  });
  return { child, port };
}

/** User and system time of a process, microseconds. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) * tickMs * 1000;
}

/** QEMU's FTDI behind the kernel's own server, in the guest. */
async function startGuest(): Promise<{ guest: LinuxGuest; busId: string }> {
  const guest = await LinuxGuest.boot({
    qemu: [
      "-device",
      "qemu-xhci,id=x",
      "-chardev",
      "null,id=c",
      "-device",
      "usb-serial,chardev=c,bus=x.0,always-plugged=on",
    ],
    forward: [3240],
  });
  await guest.run("modprobe -a xhci-pci");
  const found = await guest.waitFor(
    "grep -l 'QEMU USB SERIAL' /sys/bus/usb/devices/*/product",
    /devices\/[\d.-]+\//,
  );
  const busId = /devices\/([\d.-]+)\//.exec(found)?.[1] ?? "";
  await guest.offer(busId);
  return { guest, busId };
}

const configure = Uint8Array.of(0, 9, 1, 0, 0, 0, 0, 0);
const alternate = Uint8Array.of(1, 11, 1, 0, 0, 0, 0, 0);

export async function bench(): Promise<BenchTable[]> {
  const servers = { ours: await startServer("ours"), bare: await startServer("bare") };
  const missing = guestSkip();
  const guest = missing === false ? await startGuest() : null;
  const rates = new Map<string, number[]>();
  const megabytes = new Map<string, number[]>();
  const cpu = new Map<string, number[]>();
  const add = (table: Map<string, number[]>, name: string, value: number) =>
    table.set(name, [...(table.get(name) ?? []), value]);
  const measure = async (name: string, client: Client, pid: number, work: Work) => {
    const before = cpuOf(pid);
    const seconds = await client.run(work);
    add(rates, name, work.count / seconds);
    if (work.length >= 512) add(megabytes, name, (work.count * work.length) / seconds / 1e6);
    add(cpu, name, (cpuOf(pid) - before) / work.count);
  };
  try {
    for (let round = 0; round < rounds; round++) {
      for (const kind of ["ours", "bare"] as const) {
        const { child, port } = servers[kind];
        const name = kind === "ours" ? "our server" : "bare socket";
        const pid = child.pid as number;
        const loop = await Client.connect(port, kind === "ours" ? "1-1" : null);
        if (kind === "ours") {
          await loop.configure(configure);
          await loop.configure(alternate);
        }
        await measure(`${name}: control, one at a time`, loop, pid, control(1, 10_000));
        await measure(`${name}: control, 32 at once`, loop, pid, control(32, 100_000));
        await measure(`${name}: bulk IN 16 KiB, 16 at once`, loop, pid, bulkIn(16_384, 16, 30_000));
        await measure(`${name}: bulk IN 64 KiB, 8 at once`, loop, pid, bulkIn(65_536, 8, 10_000));
        loop.close();
        const sink = await Client.connect(port, kind === "ours" ? "1-3" : null);
        if (kind === "ours") await sink.configure(configure);
        await measure(`${name}: bulk OUT 16 KiB, 16 at once`, sink, pid, bulkOut(1, 16_384, 16, 20_000));
        sink.close();
        if (kind === "ours") {
          const serial = await Client.connect(port, "1-2");
          await serial.configure(configure);
          const into = `${name}: bulk OUT 16 KiB, 16 at once, into an FT232R`;
          await measure(into, serial, pid, bulkOut(2, 16_384, 16, 20_000));
          serial.close();
        }
        // Our server resets a device that is given back.
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
      if (guest === null) continue;
      const client = await Client.connect(guest.guest.forwarded(3240), guest.busId);
      await client.configure(configure);
      await measure(
        "Linux usbipd in a guest: control, one at a time",
        client,
        guest.guest.pid,
        control(1, 200),
      );
      await measure(
        "Linux usbipd in a guest: control, 16 at once",
        client,
        guest.guest.pid,
        control(16, 500),
      );
      await measure(
        "Linux usbipd in a guest: bulk OUT 4 KiB, 4 at once",
        client,
        guest.guest.pid,
        bulkOut(2, 4_096, 4, 200),
      );
      client.close();
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  } finally {
    servers.ours.child.kill();
    servers.bare.child.kill();
    await guest?.guest.stop();
  }
  const rows = (table: Map<string, number[]>): BenchRow[] =>
    [...table].map(([name, values]) => ({ name, rounds: values }));
  const peers =
    guest === null
      ? `The kernel's server was not measured: ${missing}.`
      : "The kernel's server runs under emulation (its CPU time is QEMU's) and drives an emulated controller, so it is a yardstick of use, not of code.";
  return [
    {
      title: "Round trips",
      unit: "transfers per second",
      rows: rows(rates),
      note: `Peer: a bare Node socket that answers the same number of bytes and does nothing else, in a process of its own, in the same run; client on the other CPU. ${peers}`,
    },
    {
      title: "Bulk",
      unit: "MB/s",
      rows: rows(megabytes),
      note: "Each byte is copied once on its way through the server, into or out of a buffer that is used again; answers without data leave side by side. IN reads zeros from the loopback device, OUT goes into a device that forgets it, and for comparison into the model of an FT232R, which moves it through its rings. Aim: half of the bare socket.",
    },
    {
      title: "CPU",
      unit: "microseconds per transfer, server process",
      rows: rows(cpu),
      note: "User and system time from /proc, in ticks of 10 ms.",
    },
  ];
}
