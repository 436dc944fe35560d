// Several answers of hardware in one sequence, without promises: no turn of the host between two of them.

/** Begins something; `resume` is called once, later, with its answer, or never when its reason has gone. */
export type Step = (resume: (answer: number) => void) => void;
export type Steps<T = void> = Generator<Step, T, number>;

/** Runs `steps` to their end. `done` gets what they threw, or null. Not in the call that began them, if they begin anything. */
export function runSteps(steps: Steps<unknown>, done: (error: unknown) => void = () => {}): void {
  const resume = (answer: number): void => {
    let next: IteratorResult<Step, unknown>;
    try {
      next = steps.next(answer);
    } catch (error) {
      done(error);
      return;
    }
    if (next.done === true) done(null);
    else next.value(resume);
  };
  resume(0);
}
