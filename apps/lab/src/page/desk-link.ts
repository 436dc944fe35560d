// The page's way to a rig of the server: a token for one connection, then a WebSocket.

import type { RemoteLink } from "../session/remote-run.ts";

/** The name of the protocol; the token is the second one that is offered. */
const protocol = "drydock-lab";

/** Rejects with words for people when there is no such rig. */
export async function connectDesk(name: string): Promise<RemoteLink> {
  const answer = await fetch("/lab/token", {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: "{}",
  }).catch(() => null);
  if (answer?.ok !== true)
    throw new Error("No rig runs on the server: drydock start brings one up, drydock board serve does not.");
  const { token } = (await answer.json()) as { token: string };
  const { host } = location;
  const socket = new WebSocket(`ws://${host}/lab/socket/${name}`, [protocol, token]);
  socket.binaryType = "arraybuffer";
  await new Promise<void>((resolve, reject) => {
    socket.onopen = () => resolve();
    socket.onerror = () =>
      reject(new Error(`The server did not let the connection in: it may show no rig "${name}".`));
  });
  return {
    send: (text) => socket.send(text),
    onMessage: (take) => {
      socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) =>
        take(typeof event.data === "string" ? event.data : new Uint8Array(event.data));
      socket.onclose = () => take(null);
    },
  };
}
