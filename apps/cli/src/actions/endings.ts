// How a command that serves comes to its end: after a time, at a signal, or when whoever started it is gone.

import { releaseAll } from "../grammar/held-claims.ts";
import { exitCodes } from "../terminal/exit-codes.ts";

/** Node's timers end at once beyond 2^31 ms; a longer time is waited for in pieces. */
const longestTimerMs = 2 ** 31 - 1;
/**
 * A terminal's Ctrl-C reaches us and the process that started us, which passes it on: the same word twice is not "now".
 * Somebody who asks again after this long is not waited for any more.
 */
const patienceMs = 1000;
/** A closed terminal (SIGHUP) is an end like any other: what was made is taken away, what was recorded is written. */
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Ends with a code: after `seconds`, or at a signal. Answers how to disarm it. */
export function endings(
  seconds: number | undefined,
  stop: (code: "pass" | "interrupted") => void,
): { disarm(): void } {
  let askedAtMs: number | null = null;
  const interrupt = (): void => {
    if (askedAtMs === null) {
      askedAtMs = performance.now();
      stop("interrupted");
    } else if (performance.now() - askedAtMs > patienceMs) {
      releaseAll();
      process.exit(exitCodes.interrupted);
    }
  };
  for (const signal of signals) process.on(signal, interrupt);
  let timer: NodeJS.Timeout | null = null;
  const wait = (leftMs: number): void => {
    const piece = Math.min(leftMs, longestTimerMs);
    timer = setTimeout(() => (leftMs > piece ? wait(leftMs - piece) : stop("pass")), piece);
  };
  if (seconds !== undefined) wait(seconds * 1000);
  return {
    disarm: () => {
      for (const signal of signals) process.off(signal, interrupt);
      if (timer !== null) clearTimeout(timer);
    },
  };
}
