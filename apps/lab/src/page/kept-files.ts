// Files of a copy as scripts that leave their text: a page that was opened from a disk may load nothing else.

interface FilesScope {
  drydockFiles?: Record<string, string>;
}

/** The script that leaves `text` under `name`. Written where a copy is made. */
export function keptScript(name: string, text: string): string {
  return `(self.drydockFiles??={})[${JSON.stringify(name)}]=${JSON.stringify(text)};\n`;
}

/** What such a script has left; null: none has. */
export const keptText = (name: string): string | null =>
  (globalThis as unknown as FilesScope).drydockFiles?.[name] ?? null;

/** A worker of a text: it has the policy of the page that starts it. */
export function workerOf(text: string, trust: (url: string) => string): Worker {
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const worker = new Worker(trust(url));
  // Read by now, or as soon as it starts: an address that is taken back before that starts nothing.
  worker.addEventListener("message", () => URL.revokeObjectURL(url), { once: true });
  return worker;
}
