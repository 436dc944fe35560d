// How a command that serves comes to its end: after a time, at Ctrl-C, or when its parent is gone.

/** Node's timers end at once beyond 2^31 ms; a longer time is waited for in pieces. */
const longestTimerMs = 2 ** 31 - 1;

/** Ends with a code: after `seconds`, or at Ctrl-C. Answers how to disarm it. */
export function endings(
  seconds: number | undefined,
  stop: (code: "pass" | "interrupted") => void,
): { disarm(): void } {
  const interrupt = (): void => stop("interrupted");
  process.once("SIGINT", interrupt);
  process.once("SIGTERM", interrupt);
  let timer: NodeJS.Timeout | null = null;
  const wait = (leftMs: number): void => {
    const piece = Math.min(leftMs, longestTimerMs);
    timer = setTimeout(() => (leftMs > piece ? wait(leftMs - piece) : stop("pass")), piece);
  };
  if (seconds !== undefined) wait(seconds * 1000);
  return {
    disarm: () => {
      process.off("SIGINT", interrupt);
      process.off("SIGTERM", interrupt);
      if (timer !== null) clearTimeout(timer);
    },
  };
}
