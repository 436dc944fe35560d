// The PCI board: function-level reset, masked vectors that stay pending, power states.

import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../../base/virtual-clock.ts";
import { listCapabilities, PciCapabilityId } from "../../codec/pci/config-space.ts";
import { PciBoardDevice, PciBoardRegister, pciBoardIdentity } from "./pci-board-device.ts";

function board() {
  const device = new PciBoardDevice({ clock: new VirtualClock() });
  const messages: number[] = [];
  device.plug({
    read: () => true,
    write: () => {},
    message: (_address, data) => messages.push(data),
    setLine: () => {},
    reportError: () => {},
  });
  device.reset("power");
  return { device, messages };
}

test("capabilities in a list, the pin, and the identity", () => {
  const { device } = board();
  const config = Uint8Array.from({ length: 256 }, (_, at) => device.configRead(at, 1));
  assert.deepEqual(
    listCapabilities(config).map(({ id }) => id),
    [PciCapabilityId.powerManagement, PciCapabilityId.express, PciCapabilityId.msiX],
  );
  assert.equal(config[0x3d], 1);
  assert.equal(device.memoryRead(0, PciBoardRegister.identity, 4), pciBoardIdentity);
});

test("a masked vector stays pending and is sent when the mask goes (PCI 3.0 §6.8.2)", () => {
  const { device, messages } = board();
  device.configWrite(0xb2, 2, 0x8000);
  device.memoryWrite(0, 0x2000 + 16 + 8, 4, 77);
  device.interrupt(1);
  assert.deepEqual(messages, []);
  assert.equal(device.memoryRead(0, 0x3000, 4), 2);
  device.memoryWrite(0, 0x2000 + 16 + 12, 4, 0);
  assert.deepEqual(messages, [77]);
  assert.equal(device.memoryRead(0, 0x3000, 4), 0);
  // The function mask does the same for all.
  device.configWrite(0xb2, 2, 0xc000);
  device.interrupt(1);
  assert.deepEqual(messages, [77]);
  device.configWrite(0xb2, 2, 0x8000);
  assert.deepEqual(messages, [77, 77]);
});

test("function-level reset clears registers and MSI-X; the address register too", () => {
  const { device } = board();
  device.configWrite(0x10, 4, 0x1234_0000);
  device.configWrite(0xb2, 2, 0x8000);
  device.memoryWrite(0, PciBoardRegister.scratch, 4, 42);
  device.configWrite(0x58, 2, 0x8000);
  assert.equal(device.memoryRead(0, PciBoardRegister.scratch, 4), 0);
  assert.equal(device.isMsiXEnabled, false);
  assert.equal(device.configRead(0x10, 4), 4);
  device.configWrite(0x44, 2, 3);
  assert.equal(device.powerState, 3);
});
