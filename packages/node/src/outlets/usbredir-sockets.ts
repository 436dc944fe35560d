// usbredir over TCP: guests come to a port of this machine, or a guest that listens is gone to.

import { once } from "node:events";
import { connect } from "node:net";
import type { UsbredirOutlet } from "@drydock/core/outlets/usbredir/usbredir-outlet";
import type { StepTaker } from "../host/ordered-steps.ts";
import { type Listener, listen, SocketStream } from "../host/socket-stream.ts";

/** Where a guest is, and who runs what it sends: the scheduler or runner of the outlet's device. */
export interface UsbredirSocketOptions {
  /** Loopback unless told otherwise. */
  readonly host?: string;
  readonly port: number;
  readonly steps?: StepTaker;
}

/** Listens for guests of one outlet. Rejects when the port is taken. */
export function listenUsbredir(outlet: UsbredirOutlet, options: UsbredirSocketOptions): Promise<Listener> {
  return listen(options, (stream, peer) => outlet.accept(stream, peer));
}

/**
 * Goes to a guest that listens: QEMU with `-chardev socket,server=on`. Being connected plugs the device in there,
 * `outlet.close()` or a lost connection unplugs it. Rejects when nobody listens.
 */
export async function connectUsbredir(outlet: UsbredirOutlet, options: UsbredirSocketOptions): Promise<void> {
  const host = options.host ?? "127.0.0.1";
  const socket = connect({ host, port: options.port, noDelay: true });
  await once(socket, "connect");
  outlet.accept(new SocketStream(socket, options.steps ?? null), `${host}:${options.port}`);
}
