// What is wrong in a source file: where, what, and what to do about it.

export interface SourcePosition {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in characters; a tab is one. */
  readonly column: number;
}

export interface SourceProblem extends SourcePosition {
  readonly severity: "error" | "warning";
  /** One sentence without a full stop. */
  readonly message: string;
  /** What to write instead, when we know. */
  readonly advice?: string;
}

/** A list with an end: hostile text makes a million mistakes as easily as one. */
export class ProblemList {
  readonly #problems: SourceProblem[] = [];
  #left: number;
  /** How many did not fit. */
  dropped = 0;

  constructor(limit = 100) {
    this.#left = limit;
  }

  get all(): readonly SourceProblem[] {
    return this.#problems;
  }

  get hasErrors(): boolean {
    return this.dropped > 0 || this.#problems.some(({ severity }) => severity === "error");
  }

  add(severity: "error" | "warning", at: SourcePosition, message: string, advice?: string): void {
    if (this.#left === 0) {
      this.dropped += 1;
      return;
    }
    this.#left -= 1;
    const { file, line, column } = at;
    this.#problems.push({
      severity,
      file,
      line,
      column,
      message,
      ...(advice === undefined ? {} : { advice }),
    });
  }

  error(at: SourcePosition, message: string, advice?: string): void {
    this.add("error", at, message, advice);
  }

  warning(at: SourcePosition, message: string, advice?: string): void {
    this.add("warning", at, message, advice);
  }
}

/** "Driver.iig:12:5: error: ...", as compilers write it, so that editors find the place; the advice follows as a note. */
export function problemText(problem: SourceProblem): string {
  const place = `${problem.file}:${problem.line}:${problem.column}`;
  const first = `${place}: ${problem.severity}: ${problem.message}`;
  return problem.advice === undefined ? first : `${first}\n${place}: note: ${problem.advice}`;
}
