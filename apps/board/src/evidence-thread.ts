// The thread that reads what people hand in: the doctor and its redaction, away from the server.

import { parentPort } from "node:worker_threads";
import { type HandedFile, type ReadEvidence, readEvidence } from "./evidence-reading.ts";
import type { TurnAnswer } from "./thread-turns.ts";

export interface EvidenceAsk {
  readonly files: readonly HandedFile[];
  readonly today: string;
}

async function answer({ files, today }: EvidenceAsk): Promise<TurnAnswer<ReadEvidence>> {
  try {
    return { value: await readEvidence(files, today) };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

parentPort?.on("message", async (ask: EvidenceAsk) => parentPort?.postMessage(await answer(ask)));
