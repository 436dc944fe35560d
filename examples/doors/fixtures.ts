// npm usb, serialport and node-hid from one rig, without a test runner.

import { npmRig } from "@drydock/fixtures/npm";

const { usb, SerialPort, HID, plugIn, settled, stop } = npmRig({ seed: 7 });
plugIn("loopback");
plugIn("ftdi");
plugIn("gamepad");
await settled();
console.log(usb.getDeviceList().length, (await SerialPort.list()).length, HID.devices()[0].product);
stop();
// prints:
// 1 1 HID gamepad
