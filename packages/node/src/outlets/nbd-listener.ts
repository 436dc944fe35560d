// An NBD server on a TCP port or a Unix socket of this machine, encrypted where a certificate is given.

import { createSecureContext, TLSSocket } from "node:tls";
import type { NbdServer } from "@drydock/core/outlets/nbd/nbd-server";
import { type Listener, type ListenOptions, listen } from "../host/socket-stream.ts";

export interface NbdListenOptions extends ListenOptions {
  /** Certificate and private key, PEM: what STARTTLS uses. Throws when they are no pair. */
  readonly tls?: { readonly certificate: string | Buffer; readonly key: string | Buffer };
}

/** Listens for NBD clients, on loopback unless told otherwise. */
export async function listenNbd(server: NbdServer, options: NbdListenOptions): Promise<Listener> {
  const { tls } = options;
  const secureContext =
    tls === undefined
      ? null
      : createSecureContext({ cert: tls.certificate, key: tls.key, minVersion: "TLSv1.2" });
  // Keys are agreed upon in this thread, in a millisecond or two each.
  const pace = tls === undefined ? {} : { pace: { atOnce: 1, everyMs: 4 } };
  return listen({ ...options, ...pace }, (stream, peer) => {
    const secure =
      secureContext === null
        ? null
        : () => stream.replaced((socket) => new TLSSocket(socket, { isServer: true, secureContext }));
    server.accept(stream, peer, secure);
  });
}
