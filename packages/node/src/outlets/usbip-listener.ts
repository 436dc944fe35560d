// A USB/IP server on a TCP port of this machine.

import type { UsbipServer } from "@drydock/core/outlets/usbip/usbip-server";
import type { StepTaker } from "../host/ordered-steps.ts";
import { type Listener, listen } from "../host/socket-stream.ts";

/** Listens for USB/IP clients, on loopback unless told otherwise. `steps` is the scheduler of the server's devices. */
export function listenUsbip(
  server: UsbipServer,
  options: { readonly host?: string; readonly port: number; readonly steps?: StepTaker },
): Promise<Listener> {
  return listen(options, (stream, peer) => server.accept(stream, peer));
}
