// What the running command holds (opened outputs): let go at its end, and at an end that comes from outside.

import { exitCodes } from "../terminal/exit-codes.ts";
import type { Claim } from "./option-kind.ts";

const held = new Set<Claim>();
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** A command that serves has its own way to end; any other is over at once, and leaves no empty files. */
const interrupted = (signal: NodeJS.Signals): void => {
  if (process.listenerCount(signal) > 1) return;
  releaseAll();
  process.exit(exitCodes.interrupted);
};

/** Throws UsageError when one cannot be had; `releaseAll` lets go of those before it. */
export function claimAll(claims: readonly Claim[]): void {
  for (const claim of claims) {
    claim.claim();
    // Without an output nothing is left behind, and the system ends us sooner than we could.
    if (held.size === 0) for (const signal of signals) process.on(signal, interrupted);
    held.add(claim);
  }
}

export function releaseAll(): void {
  if (held.size === 0) return;
  for (const claim of held) claim.release();
  held.clear();
  for (const signal of signals) process.off(signal, interrupted);
}
