// Long work that Ctrl-C ends in good order: the first one asks it to stop, the second one ends the program.

export interface Interruption {
  isOver(): boolean;
  /** The work is done: Ctrl-C means what it always means. */
  end(): void;
}

export function untilInterrupted(): Interruption {
  let isOver = false;
  const stop = (): void => {
    isOver = true;
  };
  process.once("SIGINT", stop);
  return {
    isOver: () => isOver,
    end: () => {
      process.off("SIGINT", stop);
    },
  };
}
