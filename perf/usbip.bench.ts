// USB/IP: our server against a bare socket with the same messages, and against the Linux kernel's own server.

import { guestSkip, LinuxGuest } from "../packages/node/test/guest/linux-guest.ts";
import type { BenchTable } from "./run.ts";
import { Measures, startServer } from "./socket-load.ts";
import { type UrbWork, UsbipLoad } from "./usbip-load.ts";

const rounds = 5;
const getStatus = Uint8Array.of(0x80, 0, 0, 0, 0, 0, 2, 0);
const control = (depth: number, count: number): UrbWork => ({
  endpoint: 0,
  isIn: true,
  length: 2,
  setup: getStatus,
  depth,
  count,
});
const bulkIn = (length: number, depth: number, count: number): UrbWork => ({
  endpoint: 3,
  isIn: true,
  length,
  setup: null,
  depth,
  count,
});
const bulkOut = (endpoint: number, length: number, depth: number, count: number): UrbWork => ({
  endpoint,
  isIn: false,
  length,
  setup: null,
  depth,
  count,
});

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
  const servers = {
    ours: await startServer("usbip-server.ts", "ours"),
    bare: await startServer("usbip-server.ts", "bare"),
  };
  const missing = guestSkip();
  const guest = missing === false ? await startGuest() : null;
  const measures = new Measures();
  const measure = (name: string, client: UsbipLoad, pid: number, work: UrbWork) =>
    measures.measure(name, pid, work, () => client.run(work));
  try {
    for (let round = 0; round < rounds; round++) {
      for (const kind of ["ours", "bare"] as const) {
        const {
          child,
          ports: [port],
        } = servers[kind];
        const name = kind === "ours" ? "our server" : "bare socket";
        const pid = child.pid as number;
        const loop = await UsbipLoad.connect(port, kind === "ours" ? "1-1" : null);
        if (kind === "ours") {
          await loop.configure(configure);
          await loop.configure(alternate);
        }
        await measure(`${name}: control, one at a time`, loop, pid, control(1, 10_000));
        await measure(`${name}: control, 32 at once`, loop, pid, control(32, 100_000));
        await measure(`${name}: bulk IN 16 KiB, 16 at once`, loop, pid, bulkIn(16_384, 16, 30_000));
        await measure(`${name}: bulk IN 64 KiB, 8 at once`, loop, pid, bulkIn(65_536, 8, 10_000));
        loop.close();
        const sink = await UsbipLoad.connect(port, kind === "ours" ? "1-3" : null);
        if (kind === "ours") await sink.configure(configure);
        await measure(`${name}: bulk OUT 16 KiB, 16 at once`, sink, pid, bulkOut(1, 16_384, 16, 20_000));
        sink.close();
        if (kind === "ours") {
          const serial = await UsbipLoad.connect(port, "1-2");
          await serial.configure(configure);
          const into = `${name}: bulk OUT 16 KiB, 16 at once, into an FT232R`;
          await measure(into, serial, pid, bulkOut(2, 16_384, 16, 20_000));
          serial.close();
        }
        // Our server resets a device that is given back.
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
      if (guest === null) continue;
      const client = await UsbipLoad.connect(guest.guest.forwarded(3240), guest.busId);
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
  const peers =
    guest === null
      ? `The kernel's server was not measured: ${missing}.`
      : "The kernel's server runs under emulation (its CPU time is QEMU's) and drives an emulated controller, so it is a yardstick of use, not of code.";
  return [
    {
      title: "Round trips",
      unit: "transfers per second",
      rows: measures.rates,
      note: `Peer: a bare Node socket that answers the same number of bytes and does nothing else, in a process of its own, in the same run; client on the other CPU. ${peers}`,
    },
    {
      title: "Bulk",
      unit: "MB/s",
      rows: measures.megabytes,
      note: "Each byte of a large transfer is copied once on its way through the server, into or out of a buffer that is used again; small answers and those without data leave side by side. What comes is read into one block that is used again, where the bare socket has a fresh one of 64 KiB each time. IN reads zeros from the loopback device, OUT goes into a device that forgets it, and for comparison into the model of an FT232R, which moves it through its rings. Aim: 0.9 of the bare socket for control and IN, 0.6 for OUT. A profile of control transfers (32 at once) has a quarter of the server's time in the one system call that answers them and the rest in steps of 3 % and less: what a control transfer is, decoded, put to the device by its stages, noted and answered. One at a time the server waits for three quarters of the time, 18 % are in that system call and 2 % in our code.",
    },
    {
      title: "CPU",
      unit: "microseconds per transfer, server process",
      rows: measures.cpu,
      note: "User and system time from /proc, in ticks of 10 ms.",
    },
  ];
}
