// P10: each acceptance criterion of the post.

import assert from "node:assert/strict";
import { test } from "node:test";
import { adapterMatrix, adapterSupport } from "@drydock/core/platform/platform-families";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import { hostTurn } from "@drydock/node/host-turn";
import { badEthernetBundle } from "./bad-driver.ts";
import { adapterOn, ax88772IphoneCase, exchangeFrames, packetFrameBytes } from "./case.ts";
import { goodEthernetBundle } from "./good-driver.ts";

const options = { seed: 10, turn: hostTurn };
/** The endurance run sets 100,000, as the post asks. */
const frames = Number(process.env.DRYDOCK_P10_FRAMES ?? 2000);

test("P10 AC1: on an iPhone the ASIX adapter stays unclaimed, and a driver is refused with the reason", async () => {
  const { port, refusals, rig } = await adapterOn(
    platformProfile("iphone"),
    "ax88772c",
    goodEthernetBundle,
    options,
  );
  assert.equal(port, null);
  assert.deepEqual([...new Set(refusals)], ["iPhone (iOS 18) runs no driver extensions"]);
  assert.equal(rig.machine.registry.byClass("Ax88772Driver").length, 0);
  // It is configured all the same: the interface is there, and nobody has it.
  const [nub] = rig.machine.registry.byClass("IOUSBHostInterface");
  assert.deepEqual(nub?.clients, []);
});

test("P10 AC1: on an iPhone an NCM adapter is an interface, by the system's own driver", async () => {
  const { port, rig } = await adapterOn(platformProfile("iphone"), "cdc-ncm", null, options);
  assert.equal(port?.name, "en0");
  assert.equal(port?.link.isUp, true);
  assert.equal(rig.machine.registry.byClass("CdcNcmDriver").length, 1);
});

test("F19: one AX88772 package on three systems: refused, app-facing, an interface, each with its reason", async () => {
  const on = (id: string) => adapterOn(platformProfile(id), "ax88772c", goodEthernetBundle, options);
  const [phone, pad, mac] = [await on("iphone"), await on("ipados"), await on("macos15")];
  assert.equal(phone.port, null);
  assert.match(phone.refusals.join(), /runs no driver extensions/);
  assert.equal(pad.port?.name, undefined);
  assert.equal(pad.rig.machine.registry.byClass("Ax88772Companion").length, 1, "an app can open it");
  assert.deepEqual(
    [...new Set(pad.refusals)],
    ["iPadOS 18 has no network family for drivers (likely: its documentation does not list it)"],
  );
  assert.equal(mac.port?.name, "en0");
  assert.deepEqual(mac.refusals, []);
});

test("F19: the dated matrix of adapters and systems is what the machines do", async () => {
  for (const { adapter, platform, support } of adapterMatrix) {
    if (adapter === "cdc-ecm") continue;
    const profile = platformProfile(platform === "macos" ? "macos26" : platform);
    const own = adapter === "ax88772c" ? goodEthernetBundle : null;
    const { port, rig } = await adapterOn(profile, adapter, own, options);
    const isForApps = rig.machine.registry.byClass("Ax88772Companion").length > 0;
    const found = port === null ? (isForApps ? "app only" : "no") : own === null ? "built in" : "dext";
    assert.equal(found, support, `${adapter} on ${platform}`);
    assert.equal(adapterSupport(adapter, profile)?.support, support);
  }
});

test("F19: a later entry of the matrix counts, and changes no other verdict", () => {
  const later = adapterMatrix
    .filter(({ adapter, platform }) => adapter === "ax88772c" && platform === "iphone")
    .map((entry) => ({ ...entry, support: "dext" as const, asOf: "2027-01-01" }));
  const all = [...later, ...adapterMatrix];
  for (const { adapter, platform, support } of adapterMatrix) {
    const profile = platformProfile(platform === "macos" ? "macos15" : platform);
    const isChanged = adapter === "ax88772c" && platform === "iphone";
    assert.equal(adapterSupport(adapter, profile, all)?.support, isChanged ? "dext" : support);
  }
  assert.equal(adapterSupport("rtl8153", platformProfile("iphone")), null, "unknown is said");
});

test("P10 AC2: the bad driver loses frames of mixed sizes", async () => {
  const { result } = await exchangeFrames(badEthernetBundle, options, 400);
  assert.equal(result.in.sent, 400);
  assert.ok(result.in.received < 400, `${result.in.received} of 400 came`);
  assert.equal(result.isWhole, false);
});

test("P10 AC2: with the bad driver the chip waits for ever behind frames of 508 bytes", async () => {
  const size = { smallest: packetFrameBytes, largest: packetFrameBytes };
  const { device, result, rig } = await exchangeFrames(badEthernetBundle, options, 400, size);
  assert.equal(result.out.received, 0, "nothing ever left the chip");
  // All of its 8 KiB of packet memory are full of frames that it may not look at.
  assert.equal(device.observe().heldBytes, 8192);
  assert.ok(result.out.sent < 400, "the program is stuck, too");
  const [port] = rig.interfaces;
  assert.equal(port.counts.sentFrames, 16, "the frames that the chip took and does not send");
});

test("P10 AC2: one frame of 508 bytes, and then silence, is enough", async () => {
  const size = { smallest: packetFrameBytes, largest: packetFrameBytes };
  const { device, result } = await exchangeFrames(badEthernetBundle, options, 1, size);
  assert.deepEqual([result.out.sent, result.out.received, device.observe().heldBytes], [1, 0, 512]);
});

for (const sizes of [{}, { smallest: packetFrameBytes, largest: packetFrameBytes }]) {
  test(`P10 AC2: the good driver brings every frame both ways, ${JSON.stringify(sizes)}`, async () => {
    const { device, result } = await exchangeFrames(goodEthernetBundle, options, frames, sizes);
    assert.deepEqual([result.out.received, result.in.received], [frames, frames]);
    assert.equal(result.isWhole, true, JSON.stringify(result));
    assert.equal(device.observe().overruns, 0);
  });
}

test("P10 AC3: after a wrong header the driver is in step again within one frame", async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const { device, result } = await exchangeFrames(
      goodEthernetBundle,
      { ...options, seed },
      60,
      {},
      (chip) => chip.spoilHeaders(1),
    );
    // The frame with the wrong header is lost, and nothing besides.
    assert.equal(result.in.received, result.in.sent - 1, `seed ${seed}`);
    assert.equal(device.observe().overruns, 0);
  }
});

test("P10: the pair: the wrong driver fails, the right one does not", async () => {
  const bad = await ax88772IphoneCase.run("bad", options);
  const good = await ax88772IphoneCase.run("good", options);
  assert.equal(bad.succeeded, false);
  assert.match(bad.result, /runs no driver extensions; on macOS \d+ of 200 frames came in/);
  assert.equal(good.succeeded, true, good.result);
});
