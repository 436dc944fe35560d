// A mistake in what a person typed: one sentence that says what is wrong and what to do. Exit code 2.

export class UsageError extends Error {}
