// A rig under programs that know WebUSB only: globals as in a page, the real clock, everything taken away again.

import type { Clock } from "@drydock/core/base/clock";
import type { UsbDevicePort } from "@drydock/core/ports/usb-device";
import { WebUsbRig } from "@drydock/core/rigs/web-usb-rig";
import { hostTurn } from "@drydock/node/host-turn";
import { LiveRunner } from "@drydock/node/live-runner";

/** Plugs `make(clock)` in, runs `program` with the globals of a page, and puts everything back. */
export async function withPage<T extends UsbDevicePort>(
  make: (clock: Clock) => T,
  program: (device: T, rig: WebUsbRig) => Promise<void>,
): Promise<void> {
  const rig = new WebUsbRig({ seed: 13, turn: hostTurn, timing: "none" });
  const device = make(rig.scheduler);
  rig.bus.plugIn(device, 1);
  await rig.settle();
  const undo = rig.installGlobals(globalThis);
  const runner = new LiveRunner(rig.scheduler);
  const running = runner.start();
  try {
    await program(device, rig);
  } finally {
    await runner.stop();
    await running;
    undo();
  }
}
