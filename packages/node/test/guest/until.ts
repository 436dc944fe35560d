// Waiting for what another program does.

const pollMs = 20;

/** Until it is true; rejects after `patienceMs` with the words for what never came. */
export async function until(what: string, isTrue: () => boolean, patienceMs = 60_000): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!isTrue()) {
    if (performance.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}
