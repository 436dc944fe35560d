// The thread that cases run in: one question at a time, an answer for each, whatever happens.

import { parentPort } from "node:worker_threads";
import { loadCase } from "@drydock/cases/case-doors";
import { reportCase, runSide } from "@drydock/cases/case-report";
import { hostTurn } from "@drydock/node/host-turn";
import type { CaseAnswer, CaseAsk } from "./case-runner.ts";

async function answer(ask: CaseAsk): Promise<CaseAnswer> {
  try {
    const options = { seed: ask.seed, turn: hostTurn };
    const entry = await loadCase(ask.id);
    return {
      value:
        ask.kind === "report" ? await reportCase(entry, options) : await runSide(entry, ask.side, options),
    };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

parentPort?.on("message", async (ask: CaseAsk) => parentPort?.postMessage(await answer(ask)));
