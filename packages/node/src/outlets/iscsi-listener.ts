// An iSCSI target on a TCP port of this machine.

import { getRandomValues } from "node:crypto";
import type { IscsiTarget } from "@drydock/core/outlets/iscsi/iscsi-target";
import { type Listener, type ListenOptions, listen } from "../host/socket-stream.ts";

/** Listens for initiators, on loopback unless told otherwise; discovery answers where the initiator came to. */
export async function listenIscsi(
  target: IscsiTarget,
  options: Pick<ListenOptions, "host" | "steps"> & { readonly port: number },
): Promise<Listener> {
  const listener = await listen(options, (stream, peer, cameTo) => target.accept(stream, peer, cameTo));
  const host = listener.host.includes(":") ? `[${listener.host}]` : listener.host;
  target.address = `${host}:${listener.port}`;
  return listener;
}

/** For CHAP's challenges. */
export function secureRandomBytes(into: Uint8Array): void {
  getRandomValues(into as Uint8Array<ArrayBuffer>);
}
