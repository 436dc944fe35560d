// The smallest driver: opens a USB interface, asks the device one thing, and shows the wire.

import { LoopbackDevice } from "@drydock/core/devices/loopback/loopback-device";
import type { IOUSBHostInterface } from "@drydock/core/families/usb/io-usb-host-interface";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import { UsbRig } from "@drydock/core/rigs/usb-rig";
import { kIOMemoryDirectionIn } from "@drydock/core/runtime/memory";
import { IOService } from "@drydock/core/runtime/service";
import { formatTrace } from "@drydock/core/trace/usb-text";
import { hostTurn } from "@drydock/node/host-turn";

class FirstDriver extends IOService {
  override async start(provider: IOService) {
    await super.start(provider);
    const usb = provider as IOUSBHostInterface;
    await usb.open(this);
    const status = usb.createIOBuffer(kIOMemoryDirectionIn, 2);
    await usb.deviceRequest(0x80, 0, 0, 0, 2, status, 1000); // GET_STATUS
    this.log(`status ${status.bytes}`);
    this.registerService();
  }
}

const rig = new UsbRig({ seed: 1, turn: hostTurn, profile: platformProfile("macos15") });
rig.machine.install({
  identifier: "org.example.first",
  version: "1",
  teamIdentifier: "EXAMPLE",
  entitlements: {
    "com.apple.developer.driverkit": true,
    "com.apple.developer.driverkit.transport.usb": [{ idVendor: 0x1209 }],
  },
  personalities: {
    First: {
      IOUserClass: "FirstDriver",
      IOProviderClass: "IOUSBHostInterface",
      idVendor: 0x1209,
      idProduct: 2,
      bInterfaceNumber: 0,
      bConfigurationValue: 1,
    },
  },
  classes: { FirstDriver },
});
rig.usb.bus.plugIn(new LoopbackDevice());
await rig.machine.run();
console.log(
  formatTrace(rig.usb.trace),
  rig.machine.log.show().map((row) => row.message),
);
