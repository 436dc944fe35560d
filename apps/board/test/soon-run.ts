// Cases that are soon run: for tests that ask only whether a run is recorded, and how often.

import { setTimeout } from "node:timers/promises";
import { CaseRunner, type SideOutcome } from "../src/case-runner.ts";

export class SoonRun extends CaseRunner {
  override async side(id: string, seed: number, side: "bad" | "good"): Promise<SideOutcome> {
    await setTimeout(5);
    return { succeeded: side === "good", result: `${id} on ${seed}`, digest: "0123456789abcdef" };
  }
}
