// What the running command holds (opened outputs): let go at its end, and at an end that comes from outside.

import { exitCodes } from "../terminal/exit-codes.ts";
import type { Claim } from "./option-kind.ts";

const held = new Set<Claim>();
let isListening = false;
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** A command that serves has its own way to end; any other is over at once, and leaves no empty files. */
const interrupted = (signal: NodeJS.Signals): void => {
  if (process.listenerCount(signal) > 1) return;
  releaseAll();
  process.exit(exitCodes.interrupted);
};

/** Something that was made while the command ran, and goes whenever it ends. */
export function holdUntilEnd(release: () => void): void {
  held.add({ claim: () => {}, release });
}

/** Throws UsageError when one cannot be had; `releaseAll` lets go of those before it. */
export function claimAll(claims: readonly Claim[]): void {
  for (const claim of claims) {
    claim.claim();
    // Without an output nothing is left behind, and the system ends us sooner than we could.
    if (!isListening) for (const signal of signals) process.on(signal, interrupted);
    isListening = true;
    held.add(claim);
  }
}

export function releaseAll(): void {
  if (held.size === 0) return;
  const all = [...held];
  held.clear();
  for (const claim of all) claim.release();
  for (const signal of signals) process.off(signal, interrupted);
  isListening = false;
}
