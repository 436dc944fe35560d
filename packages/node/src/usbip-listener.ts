// A USB/IP server on a TCP port of this machine.

import type { UsbipServer } from "@drydock/core/outlets/usbip/usbip-server";
import { type Listener, listen } from "./socket-stream.ts";

/** Listens for USB/IP clients, on loopback unless told otherwise. */
export function listenUsbip(
  server: UsbipServer,
  options: { host?: string; port: number },
): Promise<Listener> {
  return listen(options, (stream, peer) => server.accept(stream, peer));
}
