// What a page asks the worker of cases, and what it answers: both drivers on one seed, told as our own HTML.

export interface RunAsk {
  readonly id: string;
  readonly seed: number;
  readonly side: "bad" | "good" | null;
  readonly step: number | null;
}
export type RunAnswer =
  | {
      readonly html: string;
      readonly digests: readonly [string, string];
      readonly isSound: boolean;
      /** The step in which they part on the wire, and how many the longer one has; null: they do not. */
      readonly parting: number | null;
      readonly steps: number;
    }
  | { readonly error: string };
