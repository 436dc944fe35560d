// A device of the guest, offered by its kernel over USB/IP and brought up by a rig's drivers on the real clock.

import assert from "node:assert/strict";
import { usbipPort } from "@drydock/core/codec/usbip/usbip";
import type { UsbRigParts } from "@drydock/core/rigs/usb-rig-doors";
import { UsbipImporter } from "@drydock/core/transports/usbip/usbip-importer";
import { LiveRunner } from "@drydock/node/live-runner";
import { connectSocket } from "@drydock/node/socket-stream";
import type { LinuxGuest } from "./linux-guest.ts";

const retryNs = 500_000_000;

/**
 * Imports the guest's device with that product string while `body` runs; `giveBack` ends the import before that. The
 * guest was booted with `forward: [usbipPort]`. A machine that failed or a driver that crashed is a failure.
 */
export async function withImportedDevice(
  guest: LinuxGuest,
  product: string,
  rig: Pick<UsbRigParts, "machine" | "usb">,
  body: (giveBack: () => void) => Promise<void>,
): Promise<void> {
  const found = await guest.waitFor(
    `grep -l '${product}' /sys/bus/usb/devices/*/product`,
    /devices\/[\d.-]+\//,
  );
  const busId = /devices\/([\d.-]+)\//.exec(found)?.[1] ?? "";
  await guest.offer(busId);
  const { scheduler } = rig.machine;
  const runner = new LiveRunner(scheduler);
  void runner.start();
  const importer = new UsbipImporter({
    clock: scheduler,
    connect: () => connectSocket("127.0.0.1", guest.forwarded(usbipPort), scheduler),
    busId,
    onAttach: (port) => rig.usb.attach(port),
    retryNs,
  });
  try {
    await body(() => importer.stop());
    assert.deepEqual([rig.machine.failure, rig.machine.crashes], [null, []]);
  } finally {
    importer.stop();
    await runner.stop();
  }
}
