// What is tried with a dext: a plain run, other fresh memory, each host call failing once, the cable pulled everywhere.

import { hex } from "@drydock/core/base/text";
import type { SentBytes } from "../host/cxx-process.ts";
import type { DextDescription } from "../host/dext-bundle.ts";
import { type DextRunOptions, type DextRunResult, type MakeRig, runDext } from "./dext-run.ts";
import { twoFills, unwrittenBytes, unwrittenText } from "./two-fill.ts";

export interface TrialFinding {
  /** "plain run", "call 12, IOUSBHostInterface.CopyPipe, in ... fails", "unplug at step 40". */
  readonly when: string;
  readonly what: string;
}

export interface TrialReport {
  readonly plain: DextRunResult;
  /** Runs in which a call failed, and in which the cable was pulled. */
  readonly failedCalls: number;
  readonly unplugs: number;
  /** The same seed a second time gave the same digest. */
  readonly isRepeatable: boolean;
  readonly findings: readonly TrialFinding[];
  /** What was left in a run and not counted as leaks, with the reason; each once. */
  readonly uncounted: readonly TrialFinding[];
}

export interface TrialOptions extends DextRunOptions {
  /** Most runs of each kind; those left out are spread evenly. */
  readonly most: number;
  /** Told before each run. */
  readonly onRun?: (what: string, done: number, all: number) => void;
}

/** Every n-th of 1 to `count`, at most `most` of them, the first and the last among them. */
function spread(count: number, most: number): number[] {
  if (count <= most) return Array.from({ length: count }, (_, index) => index + 1);
  const chosen = Array.from(
    { length: most },
    (_, index) => 1 + Math.round((index * (count - 1)) / (most - 1)),
  );
  return [...new Set(chosen)];
}

/** Runs them one after the other. Findings that the plain run has already are not told again. */
export async function tryDext(
  description: DextDescription,
  makeRig: MakeRig,
  { most, onRun, ...options }: TrialOptions,
): Promise<TrialReport> {
  const findings: TrialFinding[] = [];
  const uncounted: TrialFinding[] = [];
  const known = new Set<string>();
  const judge = (when: string, { findings: found, leaks, uncounted: left }: DextRunResult): void => {
    const [why, ...objects] = left;
    for (const what of objects) {
      if (known.has(`${why} ${what}`)) continue;
      known.add(`${why} ${what}`);
      uncounted.push({ when, what: `${why} ${what}` });
    }
    for (const what of [...found, ...leaks.map((leak) => `leak: ${leak}`)]) {
      if (known.has(what)) continue;
      known.add(what);
      findings.push({ when, what });
    }
  };
  onRun?.("plain run", 0, 1);
  const plain = await runDext(description, makeRig, { ...options, tracesObjects: true });
  judge("plain run", plain);
  const again = await runDext(description, makeRig, { ...options, tracesObjects: true });
  const sent: (readonly SentBytes[])[] = [];
  for (const [index, fill] of twoFills.entries()) {
    onRun?.("fresh memory of another kind", index, twoFills.length);
    const result = await runDext(description, makeRig, {
      ...options,
      tracesObjects: true,
      fill,
      recordsSent: true,
      onEnd: (ledger) => sent.push(ledger.sent),
    });
    judge(`fresh memory holds 0x${hex(fill)}`, result);
  }
  for (const what of new Set(unwrittenBytes(sent[0], sent[1]).map(unwrittenText)))
    findings.push({ when: "fresh memory of another kind", what });
  const calls = spread(plain.failable, most);
  for (const [index, failCall] of calls.entries()) {
    onRun?.("failing calls", index, calls.length);
    const result = await runDext(description, makeRig, { ...options, tracesObjects: true, failCall });
    judge(`${result.failed ?? `call ${failCall}`} fails`, result);
  }
  const steps = spread(plain.steps, most);
  for (const [index, unplugAtStep] of steps.entries()) {
    onRun?.("unplugs", index, steps.length);
    // What an application does meanwhile ends as it can: its own refusals are none of the driver's.
    const { use, ...quiet } = options;
    const run =
      use === undefined
        ? quiet
        : { ...quiet, use: (rig: Parameters<typeof use>[0]) => use(rig).catch(() => {}) };
    const result = await runDext(description, makeRig, { ...run, tracesObjects: true, unplugAtStep });
    judge(`unplug at step ${unplugAtStep}`, result);
  }
  return {
    plain,
    failedCalls: calls.length,
    unplugs: steps.length,
    isRepeatable: again.digest === plain.digest,
    findings,
    uncounted,
  };
}
