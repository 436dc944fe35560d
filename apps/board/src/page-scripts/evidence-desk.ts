// What the lab's evidence workers answer: registries as trees, and what is asked of dropped files.

import { readRegistryDump } from "@drydock/doctor/evidence/registry-snapshot";
import { sourceOfBytes } from "@drydock/doctor/facts/evidence-source";
import type { CppGrammar } from "@drydock/doctor/source/cpp-parser";
import type { DeskAnswer, DeskAsk } from "@drydock/lab/page/desk-messages";
import { RegistryBook } from "@drydock/lab/session/registry-book";
import { EvidenceFolder } from "./evidence-folder.ts";

const book = new RegistryBook();
const folder = new EvidenceFolder();
/** The same for every file, so that it is compiled once. */
let cpp: CppGrammar | null = null;

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
    case "files": {
      const { wasm } = ask;
      if (wasm !== null)
        cpp ??= Object.assign(async () => wasm.grammar, { runtime: async () => wasm.runtime });
      return folder.set(ask.files, cpp);
    }
    case "diagnose":
      return await folder.diagnose(ask.isRedacted, ask.today);
    case "lines":
      return await folder.lines(ask.file, ask.line, ask.isRedacted);
    case "redact":
      return await folder.redact();
    case "report":
      return folder.report(ask.form);
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
