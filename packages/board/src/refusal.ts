// Why the board refuses an act, in words for the person who asked, and troubles of the store below it.

/**
 * `signed_out`: nobody is signed in (401); `forbidden`: this person may not (403); `invalid`: a field is wrong (422); `missing`: there is no such thing, or not for you (404, one answer for both);
 * `conflict`: somebody changed it meanwhile (409); `too_large` (413); `too_many`: try later (429).
 */
export type RefusalKind =
  | "signed_out"
  | "forbidden"
  | "invalid"
  | "missing"
  | "conflict"
  | "too_large"
  | "too_many";

/** An act was refused; nothing has changed. `text` says what to do and is safe to show. */
export class BoardRefusal extends Error {
  readonly kind: RefusalKind;
  /** Stable, for programs: "title-empty". */
  readonly code: string;
  /** The field to point at; null when it is none in particular. */
  readonly field: string | null;
  /** With `too_many`: seconds until it may be tried again. */
  readonly retryAfter: number | null;

  constructor(
    kind: RefusalKind,
    code: string,
    text: string,
    field: string | null = null,
    retryAfter: number | null = null,
  ) {
    super(text);
    this.name = "BoardRefusal";
    this.kind = kind;
    this.code = code;
    this.field = field;
    this.retryAfter = retryAfter;
  }
}

export const notFound = (what: string): BoardRefusal =>
  new BoardRefusal("missing", "not-found", `There is no such ${what}.`);

/** The store found this limit used up, before anything was changed. */
export class LimitReached extends Error {
  readonly code: string;
  readonly text: string;
  readonly waitMs: number;

  constructor(limit: { readonly code: string; readonly text: string }, waitMs: number) {
    super(limit.text);
    this.name = "LimitReached";
    this.code = limit.code;
    this.text = limit.text;
    this.waitMs = waitMs;
  }
}

/** The store cannot do it now; what was acknowledged before is safe. */
export class StoreTrouble extends Error {
  readonly kind: "full" | "locked" | "damaged" | "read_only" | "newer_schema" | "away" | "unknown";

  constructor(kind: StoreTrouble["kind"], text: string, cause?: unknown) {
    super(text, { cause });
    this.name = "StoreTrouble";
    this.kind = kind;
  }
}
