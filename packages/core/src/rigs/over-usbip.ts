// Devices of a bus that reach the machine over USB/IP: our server exports them, our client imports them.

import { microsecond } from "../base/units.ts";
import { UsbipServer } from "../outlets/usbip/usbip-server.ts";
import { UsbipImporter } from "../transports/usbip/usbip-importer.ts";
import { memoryStreamPair } from "./memory-stream.ts";
import type { UsbPath } from "./usb-rig.ts";

/** One way of a connection in memory. */
const networkLatencyNs = 50 * microsecond;

/**
 * Every device of the bus goes out through a server and comes back in through a client, reset or not, over a stream in memory
 * that cuts bytes anywhere.
 */
export const overUsbip: UsbPath = (machine, attach) => {
  const clock = machine.scheduler;
  const random = machine.random.fork("usbip");
  const server = new UsbipServer({
    onExported: (busId) => {
      new UsbipImporter({
        clock,
        busId,
        locationId: server.exports.get(busId)?.lent.port.locationId ?? 0,
        connect: () => {
          const [near, far] = memoryStreamPair({ clock, random, latencyNs: networkLatencyNs });
          server.accept(far);
          return near;
        },
        onAttach: attach,
      });
    },
  });
  return (port) => server.attach(port);
};
