// What a contract list is made of: named checks that any host can run.

/** One promise of a port. `run` throws when it is broken. */
export interface ContractCheck<Bench> {
  readonly name: string;
  /** What a bench calls it when it cannot keep this promise (see `ContractLimits`). */
  readonly limit?: string;
  /** What the bench needs besides the usual, in the words of its list. */
  readonly variant?: string;
  /** A fresh bench for each check. */
  run(bench: Bench): Promise<void>;
}

/** Names of the checks that a bench with these limits leaves out, in their order. */
export function namesLimitedBy<Bench>(
  checks: readonly ContractCheck<Bench>[],
  ...limits: readonly string[]
): string[] {
  return checks.filter(({ limit }) => limit !== undefined && limits.includes(limit)).map(({ name }) => name);
}

/**
 * Promises that a path cannot keep, each with the reason. A bench declares them; the checks of that name are not run
 * and are reported as limited, never as kept.
 */
export type ContractLimits = Readonly<Record<string, string>>;

export class ContractFailure extends Error {
  override readonly name = "ContractFailure";
}

/** Throws ContractFailure with `what` unless `condition`. */
export function expect(condition: boolean, what: string): asserts condition {
  if (!condition) throw new ContractFailure(what);
}

export function expectEqual<T>(found: T, wanted: T, what: string): void {
  if (found !== wanted)
    throw new ContractFailure(`${what}: found ${String(found)}, expected ${String(wanted)}`);
}

export interface ContractResult {
  readonly name: string;
  /** Null when kept. */
  readonly problem: string | null;
  /** Why this path cannot keep it, when it says so itself: the check was not run. */
  readonly limited: string | null;
}

/** Runs every check on a bench of its own, of the check's variant; one that throws anything is a broken promise. */
export async function runContract<Bench extends object>(
  checks: readonly ContractCheck<Bench>[],
  makeBench: (variant: string | undefined) => Promise<Bench>,
): Promise<ContractResult[]> {
  const results: ContractResult[] = [];
  for (const check of checks) {
    let problem: string | null = null;
    let limited: string | null = null;
    try {
      const bench = await makeBench(check.variant);
      limited = check.limit === undefined ? null : (limitsOf(bench)?.[check.limit] ?? null);
      if (limited === null) await check.run(bench);
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
    results.push({ name: check.name, problem, limited });
  }
  return results;
}

function limitsOf(bench: { readonly limits?: ContractLimits }): ContractLimits | undefined {
  return bench.limits;
}
