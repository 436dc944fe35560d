// Cases run beside the server: in a thread of their own, bounded in time and in how many wait. Same seed, same report.

import type { CaseReport } from "@drydock/cases/case-report";
import { ThreadTurns, type TurnAnswer } from "./thread-turns.ts";

/** What the thread is asked, and what it answers. */
export type CaseAsk =
  | { readonly kind: "report"; readonly id: string; readonly seed: number }
  | { readonly kind: "side"; readonly id: string; readonly seed: number; readonly side: "bad" | "good" };
export interface SideOutcome {
  readonly succeeded: boolean;
  readonly result: string;
  readonly digest: string;
}
export type CaseAnswer = TurnAnswer<CaseReport | SideOutcome>;

const keptReports = 64;

export class CaseRunner {
  readonly #turns = new ThreadTurns<CaseAsk, CaseReport | SideOutcome>(
    new URL("./case-thread.ts", import.meta.url),
    {
      longestMs: 20_000,
      mostWaiting: 32,
      memoryMb: 512,
      crowded: { code: "runs-many", text: "Too many runs are waiting. Try again in a few seconds." },
    },
  );
  readonly #reports = new Map<string, CaseReport>();

  /** Both sides on one seed. Rejects with BoardRefusal when too many wait, with Error when a run broke off. */
  async report(id: string, seed: number): Promise<CaseReport> {
    const key = `${id} ${seed}`;
    const known = this.#reports.get(key);
    if (known !== undefined) return known;
    const report = (await this.#turns.ask({ kind: "report", id, seed })) as CaseReport;
    this.#reports.set(key, report);
    if (this.#reports.size > keptReports) this.#reports.delete(this.#reports.keys().next().value as string);
    return report;
  }

  async side(id: string, seed: number, side: "bad" | "good"): Promise<SideOutcome> {
    return (await this.#turns.ask({ kind: "side", id, seed, side })) as SideOutcome;
  }

  async close(): Promise<void> {
    await this.#turns.close();
  }
}
