// The two errors that everything below the runtime may throw: bad bytes, and a broken contract.

/** Bytes that cannot be decoded. `offset` is the position, from the start of the input, of the first bad byte. */
export class DecodeError extends Error {
  override readonly name = "DecodeError";
  readonly offset: number;
  /** What was being read, for example "configuration descriptor". */
  readonly subject: string;

  constructor(subject: string, offset: number, problem: string) {
    super(`${subject}: ${problem} (at byte ${offset})`);
    this.subject = subject;
    this.offset = offset;
  }
}

/**
 * A call that its contract forbids (a second completion, a slot used twice, a release before cancel).
 * `rule` is the short stable name that reports and tests use (posts.md F26).
 */
export class ContractViolation extends Error {
  override readonly name = "ContractViolation";
  readonly rule: string;

  constructor(rule: string, detail: string) {
    super(`${rule}: ${detail}`);
    this.rule = rule;
  }
}
