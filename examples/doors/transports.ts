// Hardware comes in over any byte stream: here our USB/IP client on our server, joined in memory.

import { LoopbackDevice } from "@drydock/core/devices/loopback/loopback-device";
import { memoryStreamPair } from "@drydock/core/rigs/memory-stream";
import { UsbExportRig } from "@drydock/core/rigs/usb-export-rig";
import { UsbipImporter } from "@drydock/core/transports/usbip/usbip-importer";
import { hostTurn } from "@drydock/node/host-turn";

const rig = new UsbExportRig({ seed: 1, turn: hostTurn });
const clock = rig.scheduler;
rig.usb.bus.plugIn(new LoopbackDevice(), 1);
await clock.run(1e9);
const importer = new UsbipImporter({
  clock,
  busId: "1-1",
  connect: () => {
    const [ours, theirs] = memoryStreamPair({ clock });
    rig.server.accept(theirs);
    return ours;
  },
  onAttach: (port) => console.log(`a device at ${port.locationId.toString(16)}`),
});
await clock.run(2e9);
importer.stop();
// prints:
// a device at 2100000
