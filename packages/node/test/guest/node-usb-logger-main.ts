// In the guest: npm usb opens the logger of examples/ and reads its samples; one that is not there stalls.

import { type Device, getDeviceList } from "usb";

const device = getDeviceList().find(
  ({ deviceDescriptor }) => deviceDescriptor.idVendor === 0x1209 && deviceDescriptor.idProduct === 0x0d01,
) as Device;
device.open();
const read = (index: number) =>
  new Promise<string>((resolve) =>
    device.controlTransfer(0xc0, 1, 0, index, 2, (error, data) =>
      resolve(error === undefined ? String((data as Buffer).readUInt16LE(0)) : error.message),
    ),
  );
for (let index = 0; index < 4; index++) console.log(await read(index));
device.close();
