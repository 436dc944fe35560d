// Whatever is plugged into the rig with all drivers comes up: a model of every USB row of the catalogue.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { IOEthernetInterface } from "../families/network/io-ethernet-interface.ts";
import { IOSerialBSDClient } from "../families/serial/io-serial-bsd-client.ts";
import { platformProfile } from "../platform/platform-profile.ts";
import { AnyUsbRig } from "./any-usb-rig.ts";
import { rigCatalogue } from "./catalogue.ts";

for (const entry of rigCatalogue.filter(({ berths }) => berths.includes("usb"))) {
  test(`${entry.name}: its devices come up beside all drivers`, async () => {
    let inputs = 0;
    let ports = 0;
    let interfaces = 0;
    const rig = new AnyUsbRig({
      seed: 1,
      turn: hostTurn,
      profile: platformProfile("open"),
      onInput: () => inputs++,
    });
    rig.machine.onRegistered((service) => {
      if (service instanceof IOSerialBSDClient) ports++;
      if (service instanceof IOEthernetInterface) interfaces++;
    });
    const { random, scheduler } = rig.machine;
    const devices = entry.usbDevices({ clock: scheduler, random, pacing: "real" });
    for (const [index, device] of devices.entries()) rig.bus.plugIn(device, index + 1);
    await scheduler.run(30e9);
    assert.deepEqual(rig.family.failures, []);
    const outlets = [
      ...(ports > 0 ? ["terminal"] : []),
      ...(rig.scsi.media.length > 0 ? ["block"] : []),
      ...(inputs > 0 ? ["input"] : []),
      ...(interfaces > 0 ? ["network"] : []),
      ...(rig.audio.devices.length > 0 ? ["audio"] : []),
    ];
    // Of a rig with a PCI berth, too, the USB half alone is here.
    const here = entry.berths.includes("pci")
      ? entry.outlets.filter((kind) => kind !== "block" && kind !== "audio")
      : entry.outlets;
    assert.deepEqual(outlets, here);
  });
}
