// What is tried with a dext: a plain run, each host call that can fail failing once, the cable pulled at every step.

import type { DextDescription } from "../host/dext-bundle.ts";
import { type DextRunOptions, type DextRunResult, type MakeRig, runDext } from "./dext-run.ts";

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
  const known = new Set<string>();
  const judge = (when: string, { findings: found, leaks }: DextRunResult): void => {
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
  };
}
