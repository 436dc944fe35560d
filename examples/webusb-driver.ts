// A WebUSB driver of an FTDI chip as it would run in a page: with `navigator.usb` in place of the first import.

import { unplug, usb } from "./webusb-rig.ts";

const device = await usb.requestDevice({ filters: [{ vendorId: 0x0403, productId: 0x6001 }] });
await device.open();
await device.selectConfiguration(1);
await device.claimInterface(0);
const ask = (request: number, value: number, index = 0) =>
  device.controlTransferOut({ requestType: "vendor", recipient: "device", request, value, index });
await ask(0, 0); // reset
await ask(3, 0x001a); // 115200 baud
const sent = "hello from a WebUSB driver";
await device.transferOut(2, new TextEncoder().encode(sent));
let received = "";
while (received.length < sent.length) {
  const { data } = await device.transferIn(1, 64);
  // Two status bytes lead each packet.
  for (let at = 2; at < (data?.byteLength ?? 0); at++)
    received += String.fromCharCode(data?.getUint8(at) ?? 0);
}
await device.close();
unplug();
console.log(`${device.productName}: ${received}`);
