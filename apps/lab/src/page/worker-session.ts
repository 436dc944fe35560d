// A session in a worker of the page: its host is the worker's own loop, its messages the worker's port.

import { type LabHost, LabSession } from "../session/lab-session.ts";
import type { FromSession, ToSession } from "../session/messages.ts";
import { pageTurn } from "./page-turn.ts";

export function serveWorker(abilities: Pick<LabHost, "playCase" | "connect">): void {
  const session = new LabSession({
    turn: pageTurn,
    now: () => performance.now(),
    pause: (milliseconds) =>
      milliseconds <= 0 ? pageTurn() : new Promise((resolve) => setTimeout(resolve, milliseconds)),
    send: (message) =>
      (globalThis as unknown as { postMessage(message: FromSession): void }).postMessage(message),
    ...abilities,
  });
  addEventListener("message", (event: MessageEvent<ToSession>) => void session.take(event.data));
}
