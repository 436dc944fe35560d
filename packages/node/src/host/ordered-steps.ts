// Calls from outside as steps of whoever runs the world inside: a scheduler or a clock.

/** Who runs what comes from outside, from a socket or from libusb: a scheduler, whose steps it becomes, or a clock that then goes on at once. */
export interface StepTaker {
  ready<T>(run: (argument: T) => void, argument: T): void;
}

/** Calls in order, as steps of a scheduler, which would choose any order by itself. */
class OrderedSteps {
  readonly #taker: StepTaker;
  readonly #calls: (() => void)[] = [];
  #isAsked = false;

  constructor(taker: StepTaker) {
    this.#taker = taker;
  }

  readonly run = (call: () => void): void => {
    this.#calls.push(call);
    if (this.#isAsked) return;
    this.#isAsked = true;
    this.#taker.ready(this.#drain, undefined);
  };

  readonly #drain = (): void => {
    this.#isAsked = false;
    for (const call of this.#calls.splice(0)) call();
  };
}

const atOnce = (call: () => void): void => call();

/** Runs calls as steps of `taker`, in order; without one, at once. */
export function stepsOf(taker: StepTaker | null): (call: () => void) => void {
  return taker === null ? atOnce : new OrderedSteps(taker).run;
}
