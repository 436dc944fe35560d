// The USB host contract on QEMU's xHCI controller: our loopback device hangs behind it by usbredir.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Random } from "@drydock/core/base/random";
import { UsbSpeed } from "@drydock/core/codec/usb/usb-speed";
import { LoopbackDevice } from "@drydock/core/devices/loopback/loopback-device";
import { UsbredirOutlet } from "@drydock/core/outlets/usbredir/usbredir-outlet";
import { type ContractResult, runContract } from "@drydock/core/ports/contract";
import { RecordingClient, type UsbHostBench, usbHostContract } from "@drydock/core/ports/usb-host.contract";
import { RamArena } from "@drydock/core/transports/qtest/ram-arena";
import { SimUsbBus } from "@drydock/core/transports/sim/usb-bus";
import { XhciHost } from "@drydock/core/transports/xhci/xhci-host";
import type { XhciPort } from "@drydock/core/transports/xhci/xhci-port";
import { HostClock } from "../host/host-clock.ts";
import { listenUsbredir } from "../outlets/usbredir-sockets.ts";
import { findStockQemu, haltedFirmware, QemuQtest } from "../transports/qemu-qtest.ts";
import { createSharedRam } from "../transports/shared-ram.ts";
import { TransportMissing, waitFor } from "./libusb-bench.ts";

/** QEMU looks at interrupt endpoints each 8 ms. */
const intervalMs = 10;
/** Round trips in a row that brought nothing new. */
const quietRounds = 2;
const patienceMs = 10_000;
const isochronousLimit =
  "QEMU 7.2 does not let go of a usb-redir device whose isochronous packets were under way";

export interface XhciQemuResult {
  readonly results: readonly ContractResult[];
  /** What the transport was told that cannot be, or could not do. */
  readonly problems: readonly string[];
}

/** Rejects with TransportMissing where there is no QEMU. `trace`: QEMU's own account of its controller goes there. */
export async function checkXhciQemu(seed: number, trace?: string): Promise<XhciQemuResult> {
  const found = findStockQemu();
  if ("missing" in found) throw new TransportMissing(found.missing);
  const folder = mkdtempSync(join(tmpdir(), "drydock-xhci-"));
  const firmware = join(folder, "halted");
  writeFileSync(firmware, haltedFirmware());
  const clock = new HostClock();
  const ram = createSharedRam(64 << 20);
  const arena = new RamArena(ram.bytes);
  const bus = new SimUsbBus({ clock, random: new Random(seed), timing: "none" });
  const outlet = new UsbredirOutlet({ clock });
  bus.onAttach((port) => outlet.attach(port));
  const listener = await listenUsbredir(outlet, { port: 0, steps: clock });
  const problems: string[] = [];
  const attached: XhciPort[] = [];
  let qemu: QemuQtest | null = null;
  try {
    const host: XhciHost[] = [];
    qemu = await QemuQtest.start(
      {
        binary: found.path,
        firmware,
        clock,
        steps: clock,
        ram,
        arena,
        devices: ["-device", "qemu-xhci,id=x,addr=4,p2=4,p3=4"],
        ...(trace === undefined ? {} : { trace: { events: ["usb_xhci_*"], file: trace } }),
        onDeath: (reason) => problems.push(reason),
      },
      (machine) =>
        machine.onAttach((port) =>
          host.push(
            new XhciHost({
              port,
              clock,
              memory: arena,
              onAttach: (usb) => attached.push(usb as XhciPort),
              onProblem: (reason) => problems.push(reason),
            }),
          ),
        ),
    );
    const { qmp } = qemu;
    let count = 0;
    let isIn = false;
    const takeOut = async (): Promise<void> => {
      if (!isIn) return;
      isIn = false;
      const before = `r${count}`;
      bus.unplug(1);
      await qmp.execute("device_del", { id: before }).catch(() => {});
      await waitFor(`the end of ${before}`, () =>
        qmp.events.some(({ name, data }) => name === "DEVICE_DELETED" && data.device === before)
          ? true
          : undefined,
      );
    };
    const results = await runContract(usbHostContract, async (variant) => {
      await takeOut();
      attached.length = 0;
      isIn = true;
      count++;
      bus.plugIn(new LoopbackDevice(undefined, variant === "streams" ? UsbSpeed.super : UsbSpeed.full), 1);
      const address = { type: "inet", data: { host: "127.0.0.1", port: String(listener.port) } };
      const backend = { type: "socket", data: { addr: address, server: false, nodelay: true } };
      await qmp.execute("chardev-add", { id: `c${count}`, backend });
      await qmp.execute("device_add", {
        driver: "usb-redir",
        chardev: `c${count}`,
        bus: "x.0",
        id: `r${count}`,
      });
      const port = await waitFor("the loopback device behind QEMU's xHCI", () => attached.at(0));
      return new XhciQemuBench(port, () => bus.unplug(1));
    });
    await takeOut();
    host[0]?.close();
    return { results, problems };
  } finally {
    await qemu?.close();
    outlet.close();
    await listener.close();
    clock.stop();
    ram.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

class XhciQemuBench implements UsbHostBench {
  readonly client = new RecordingClient();
  readonly limits = {
    "cancelled-packets": isochronousLimit,
    isochronous: isochronousLimit,
  };
  readonly port: XhciPort;
  readonly unplug: () => void;
  #isUnplugged = false;

  constructor(port: XhciPort, unplug: () => void) {
    this.port = port;
    this.unplug = () => {
      this.#isUnplugged = true;
      unplug();
    };
    port.connect(this.client);
  }

  /**
   * Until round trips to the device bring nothing new: everything goes the same way in order, so what was to come has
   * come. A port that is going is waited for.
   */
  async settle(): Promise<void> {
    const { client } = this;
    const end = performance.now() + patienceMs;
    let told = -1;
    for (let quiet = 0; quiet < quietRounds; ) {
      if (performance.now() > end) throw new Error("the device never came to rest");
      await this.#roundTrip();
      await new Promise((resolve) => setTimeout(resolve, intervalMs));
      const now = client.completions.length + client.detachments;
      const isGoing = this.#isUnplugged && client.detachments === 0;
      quiet = now === told && !isGoing ? quiet + 1 : 0;
      told = now;
    }
  }

  /** GET_STATUS of the device, beside what the check has under way; at once when the device is leaving. */
  #roundTrip(): Promise<void> {
    const getStatus = Uint8Array.of(0x80, 0, 0, 0, 0, 0, 2, 0);
    return new Promise((resolve) => this.port.ask(getStatus, new Uint8Array(2), () => resolve()));
  }
}
