// Is a case still true? Decided from its runs: what each side did now, and what it did before.

import type { CaseRunRow } from "./records.ts";

/**
 * `holds`: bad fails and good succeeds, with the digests of the build before. `changed`: the same verdicts, another
 * digest. `no longer fails`: the bad side passed, which is an alarm. `fails otherwise`: the good side fails, too, or the
 * bad one with another result. `cannot run`: a run broke off. `never run`: nothing is known.
 */
export type CaseState =
  | "holds"
  | "changed"
  | "no longer fails"
  | "fails otherwise"
  | "cannot run"
  | "never run";

export interface StillTrue {
  readonly state: CaseState;
  /** When it was last tried, milliseconds UTC; null when never. */
  readonly at: number | null;
  readonly version: string | null;
  /** One sentence. */
  readonly text: string;
}

export const isAlarm = (state: CaseState): boolean =>
  state === "no longer fails" || state === "fails otherwise" || state === "cannot run";

/** `runs`: of one case, newest first. */
export function stillTrue(runs: readonly CaseRunRow[]): StillTrue {
  const newest = {
    bad: runs.find((run) => run.side === "bad"),
    good: runs.find((run) => run.side === "good"),
  };
  const { bad, good } = newest;
  if (bad === undefined || good === undefined)
    return { state: "never run", at: null, version: null, text: "This case has not been run here yet." };
  const known = { at: Math.max(bad.at, good.at), version: bad.drydockVersion };
  const broken = [bad, good].find((run) => run.verdict === "error");
  if (broken !== undefined)
    return { ...known, state: "cannot run", text: `The ${broken.side} side broke off: ${broken.result}` };
  if (bad.verdict === "succeeded")
    return { ...known, state: "no longer fails", text: `The bad driver no longer fails: ${bad.result}` };
  if (good.verdict === "failed")
    return { ...known, state: "fails otherwise", text: `The good driver fails: ${good.result}` };
  const before = (than: CaseRunRow) =>
    runs.find(
      (run) =>
        run.side === than.side && run.id < than.id && run.seed === than.seed && run.build !== than.build,
    );
  const badBefore = before(bad);
  if (badBefore?.verdict === "failed" && badBefore.result !== bad.result)
    return { ...known, state: "fails otherwise", text: `The bad driver fails in another way: ${bad.result}` };
  const changed = [bad, good].some((now) => {
    const then = before(now);
    return then !== undefined && now.traceDigest !== then.traceDigest;
  });
  return changed
    ? {
        ...known,
        state: "changed",
        text: "Bad fails and good succeeds as before, but their traces have changed.",
      }
    : { ...known, state: "holds", text: "The bad driver fails and the good driver succeeds." };
}
