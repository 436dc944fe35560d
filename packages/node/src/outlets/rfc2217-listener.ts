// A serial port as an RFC 2217 server on a TCP port of this machine.

import type { ByteStream } from "@drydock/core/ports/byte-stream";
import type { StepTaker } from "../host/ordered-steps.ts";
import { type Listener, listen } from "../host/socket-stream.ts";

/** Listens for telnet clients of `server`, an Rfc2217Server or what chooses one, on loopback unless told otherwise. `steps` is the scheduler of the rig. */
export function listenRfc2217(
  server: { accept(stream: ByteStream, peer?: string): void },
  options: { readonly host?: string; readonly port: number; readonly steps?: StepTaker },
): Promise<Listener> {
  return listen(options, (stream, peer) => server.accept(stream, peer));
}
