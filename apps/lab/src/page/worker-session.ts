// A session in a worker of the page: its host is the worker's own loop, its messages the worker's port.

import type { LabHost } from "../session/lab-host.ts";
import { LabSession } from "../session/lab-session.ts";
import type { FromSession, ToSession } from "../session/messages.ts";
import type { SessionLater } from "../session/session-later.ts";
import { pageTurn } from "./page-turn.ts";

/** What a worker has besides. */
interface WorkerScope {
  importScripts(url: string): void;
  postMessage(message: FromSession): void;
  drydockLater?: SessionLater;
  readonly location: { readonly href: string };
  readonly trustedTypes?: {
    createPolicy(
      name: string,
      rules: { createScriptURL(url: string): string },
    ): {
      createScriptURL(url: string): string;
    };
  };
}

const scope = globalThis as unknown as WorkerScope;
const laterName = "lab-later.js";

let trusted: string | null = null;

/** A script of its own: a first visit takes nothing away. */
async function later(): Promise<SessionLater> {
  if (scope.drydockLater === undefined) {
    const url = new URL(laterName, scope.location.href).href;
    // A policy of one name can be made once.
    const policy = trusted === null ? scope.trustedTypes : undefined;
    trusted ??= policy?.createPolicy("drydock", { createScriptURL: () => url }).createScriptURL(url) ?? url;
    scope.importScripts(trusted);
  }
  if (scope.drydockLater === undefined) throw new Error("a part of the lab could not be loaded");
  return scope.drydockLater;
}

export function serveWorker(
  abilities: Pick<LabHost, "findRig" | "hands" | "playEnded" | "connect"> & Partial<Pick<LabHost, "pause">>,
): void {
  const session = new LabSession({
    turn: pageTurn,
    now: () => performance.now(),
    pause: (milliseconds) =>
      milliseconds <= 0 ? pageTurn() : new Promise((resolve) => setTimeout(resolve, milliseconds)),
    send: (message) => scope.postMessage(message),
    later,
    ...abilities,
  });
  addEventListener("message", (event: MessageEvent<ToSession>) => {
    // Whether somebody is there must not wait for what is under way.
    if (event.data.kind === "ping") session.pong();
    else if (event.data.kind === "cancel") session.cancel();
    else void session.take(event.data);
  });
}
