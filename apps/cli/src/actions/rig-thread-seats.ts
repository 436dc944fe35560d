// The thread's side of those who watch its rig: who joins, who leaves, and what each is sent.

import type { MessagePort } from "node:worker_threads";
import type { FromRigThread, ToRigThread } from "@drydock/board-server/rig-in-thread";
import type { Watcher, Watchers } from "@drydock/lab/session/watchers";

/** Batches go out so often at most. */
const batchMs = 16;

/** Answers what `RigInThread` says; whatever else comes goes to `others`. */
export function serveSeats<Other extends { readonly kind: string }>(
  port: MessagePort,
  watchers: () => Watchers,
  others: (message: Other) => void = () => {},
): void {
  const send = (message: FromRigThread, transfer: readonly ArrayBuffer[] = []): void =>
    port.postMessage(message, [...transfer]);
  const seats = new Map<number, Watcher>();
  port.on("message", (message: ToRigThread | Other) => {
    switch (message.kind) {
      case "ping":
        return send({ kind: "pong" });
      case "join": {
        const { watcher } = message as Extract<ToRigThread, { kind: "join" }>;
        const added = watchers().add({
          sendBytes: (frame) => send({ kind: "bytes", watcher, frame }, [frame.buffer as ArrayBuffer]),
          sendText: (text) => send({ kind: "text", watcher, text }),
          close: (code, reason) => send({ kind: "close", watcher, code, reason }),
        });
        seats.set(watcher, added);
        return;
      }
      case "take": {
        const { text, watcher } = message as Extract<ToRigThread, { kind: "take" }>;
        return seats.get(watcher)?.take(text);
      }
      case "leave": {
        const { watcher } = message as Extract<ToRigThread, { kind: "leave" }>;
        const gone = seats.get(watcher);
        if (gone !== undefined) watchers().remove(gone);
        seats.delete(watcher);
        return;
      }
      default:
        return others(message as Other);
    }
  });
  setInterval(() => watchers().serve(), batchMs).unref();
}
