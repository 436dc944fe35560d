// Our ECM driver on QEMU's usb-net behind QEMU's xHCI, with no guest between: random frames both ways.

import assert from "node:assert/strict";
import { test } from "node:test";
import { startUsbOnQemu } from "../../src/transports/usb-on-qemu.ts";
import { driversAlone, exchangeFrames, waitingNetdev } from "../guest/frame-trial.ts";
import { freePort } from "../guest/linux-guest.ts";
import { qemuSkip } from "./qemu-disk.ts";

/** Frames each way; the endurance run sets a million. */
const frames = Number(process.env.DRYDOCK_FOREIGN_FRAMES ?? 2000);

test(`QEMU's usb-net behind its xHCI under our ECM driver: ${frames} random frames each way, equal`, {
  skip: qemuSkip,
}, async (context) => {
  const netPort = await freePort();
  const on = await startUsbOnQemu({
    build: driversAlone,
    devices: [...waitingNetdev("u", netPort), "-device", "usb-net,netdev=u,bus=x.0"],
  });
  try {
    const { host, problems, rig, runner } = on;
    try {
      await exchangeFrames({
        ...{ what: "usb-net", rig, netPort, steps: runner, frames, window: 64 },
        tell: (text) => context.diagnostic(text),
      });
    } catch (error) {
      // Whoever gave up first knows why.
      const { failure } = host;
      const { crashes } = rig.machine;
      throw new Error(
        JSON.stringify({
          failure,
          problems,
          complaints: host.counters.complaints,
          crashes,
          death: on.death(),
        }),
        { cause: error },
      );
    }
    assert.deepEqual([rig.machine.failure, rig.machine.crashes], [null, []]);
    assert.deepEqual([host.failure, problems, host.counters.complaints], [null, [], 0]);
  } finally {
    await on.close();
  }
});
