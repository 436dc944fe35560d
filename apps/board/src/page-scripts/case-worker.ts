// Cases in the page: core, casebook and doctor in a worker; from a file, where no worker starts, in the page.

import { reportCase } from "@drydock/cases/case-report";
import { findCase } from "@drydock/cases/casebook";
import { reportView } from "../pages/case-pages.ts";

/** A turn of the event loop: a message to oneself is a task without a delay. */
const channel = new MessageChannel();
const waiting: (() => void)[] = [];
channel.port1.onmessage = () => waiting.shift()?.();
const turn = (): Promise<void> =>
  new Promise((resolve) => {
    waiting.push(resolve);
    channel.port2.postMessage(null);
  });

export interface RunAsk {
  readonly id: string;
  readonly seed: number;
  readonly side: "bad" | "good" | null;
  readonly step: number | null;
}
export type RunAnswer =
  | { readonly html: string; readonly digests: readonly [string, string]; readonly isSound: boolean }
  | { readonly error: string };

async function run(ask: RunAsk): Promise<RunAnswer> {
  try {
    const report = await reportCase(findCase(ask.id), { seed: ask.seed, turn });
    return {
      html: reportView(report, ask.side, ask.step).text,
      digests: [report.bad.digest, report.good.digest],
      isSound: report.isSound,
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
