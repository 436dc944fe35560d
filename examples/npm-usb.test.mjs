// A program on npm usb, tested without the device: node --test npm-usb.test.mjs

import assert from "node:assert/strict";
import { test } from "node:test";
import { rigForTest } from "@drydock/fixtures/test-rig";

test("a transfer that is under way when the device leaves ends with its error", async (t) => {
  const { usb, plugIn, settled } = rigForTest(t);
  const plug = plugIn("loopback");
  await settled();
  const device = usb.findByIds(0x1209, usb.getDeviceList()[0].deviceDescriptor.idProduct);
  device.open();
  const face = device.interface(0);
  face.claim();
  const [out, back] = [face.endpoint(0x01), face.endpoint(0x81)];
  await new Promise((resolve) => out.transfer(Buffer.from("ping"), resolve));
  const data = await new Promise((resolve) => back.transfer(64, (_error, bytes) => resolve(bytes)));
  assert.equal(String(data), "ping");
  const ending = new Promise((resolve) => back.transfer(64, resolve));
  plug.unplug();
  assert.match(String(await ending), /NO_DEVICE/);
});
