// What a contract list is made of: named checks that any host can run.

/** One promise of a port. `run` throws when it is broken. */
export interface ContractCheck<Bench> {
  readonly name: string;
  /** A fresh bench for each check. */
  run(bench: Bench): Promise<void>;
}

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
}

/** Runs every check on a bench of its own; a check that throws anything is a broken promise. */
export async function runContract<Bench>(
  checks: readonly ContractCheck<Bench>[],
  makeBench: () => Promise<Bench>,
): Promise<ContractResult[]> {
  const results: ContractResult[] = [];
  for (const check of checks) {
    let problem: string | null = null;
    try {
      await check.run(await makeBench());
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
    results.push({ name: check.name, problem });
  }
  return results;
}
