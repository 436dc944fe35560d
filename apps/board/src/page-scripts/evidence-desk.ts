// What the lab's evidence workers answer: registries as trees, evidence diagnosed and redacted, lines of files.

import { readRegistryDump } from "@drydock/doctor/evidence/registry-snapshot";
import { sourceOfBytes } from "@drydock/doctor/facts/evidence-source";
import type { DeskAnswer, DeskAsk } from "@drydock/lab/page/desk-messages";
import { RegistryBook } from "@drydock/lab/session/registry-book";

const book = new RegistryBook();

async function answerOf(ask: DeskAsk): Promise<unknown> {
  switch (ask.kind) {
    case "live":
      return book.live(ask.view);
    case "dump": {
      const { entries, problems, root } = await readRegistryDump(sourceOfBytes(ask.name, ask.bytes));
      book.add(ask.name, root);
      return { entries, problems };
    }
    case "show":
      return book.show(ask.what, ask.before);
    case "entry":
      return book.entry(ask.index);
    case "find":
      return book.find(ask.words);
  }
}

export function serveEvidence(): void {
  const scope = globalThis as unknown as { postMessage(answer: DeskAnswer): void };
  let queue: Promise<void> = Promise.resolve();
  addEventListener("message", ({ data: { ask, id } }: MessageEvent<{ id: number; ask: DeskAsk }>) => {
    queue = queue
      .then(() => answerOf(ask))
      .then((value) => scope.postMessage({ id, value, error: "" }))
      .catch((error: unknown) =>
        scope.postMessage({ id, value: null, error: error instanceof Error ? error.message : String(error) }),
      );
  });
}
