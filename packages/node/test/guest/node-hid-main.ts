// In the guest: npm node-hid opens the HID model of these tests by its usage page and exchanges reports of each kind.

import { devices, HID } from "node-hid";

const patienceMs = 60_000;
const found = devices().find(({ vendorId, usagePage }) => vendorId === 0x16c0 && usagePage === 0xff31);
if (found?.path === undefined) throw new Error(`not among ${JSON.stringify(devices())}`);
console.log(`${found.product} ${found.serialNumber} ${found.release}`);
const device = new HID(found.path);
device.write([2, 1, 2, 3, 4, 5, 6, 7, 8]);
console.log(Buffer.from(device.readTimeout(patienceMs)).toString("hex"));
device.sendFeatureReport([3, 1, 1, 2, 3]);
console.log(Buffer.from(device.getFeatureReport(3, 5)).toString("hex"));
device.close();
