// Cases in the page: core, casebook and doctor in a worker; from a file, where no worker starts, in the page.

import { reportCase } from "@drydock/cases/case-report";
import { findCase } from "@drydock/cases/casebook";
import type { RunAnswer, RunAsk } from "@drydock/lab/page/case-run";
import { pageTurn } from "@drydock/lab/page/page-turn";
import { reportView } from "../pages/case-pages.ts";

async function run(ask: RunAsk): Promise<RunAnswer> {
  try {
    const report = await reportCase(findCase(ask.id), { seed: ask.seed, turn: pageTurn });
    return {
      html: reportView(report, ask.side, ask.step).text,
      digests: [report.bad.digest, report.good.digest],
      isSound: report.isSound,
      parting: report.firstDifference,
      steps: Math.max(report.bad.steps.length, report.good.steps.length),
    };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

if (typeof document === "undefined") {
  addEventListener("message", async (event: MessageEvent<RunAsk>) => {
    (globalThis as unknown as { postMessage(answer: RunAnswer): void }).postMessage(await run(event.data));
  });
} else Object.assign(globalThis, { drydockRunCase: run });
