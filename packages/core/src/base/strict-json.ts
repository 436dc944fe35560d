// JSON that somebody else wrote, read strictly: a RangeError names the field and what it may be.

/** An object with these fields and no other. */
export function fields(
  value: unknown,
  what: string,
  known: readonly string[],
  optional: readonly string[] = [],
): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new RangeError(`${what} is no object`);
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined)
    throw new RangeError(`${what} has "${unknown}", which nobody knows; there are: ${known.join(", ")}`);
  const missing = known.find((key) => !optional.includes(key) && !Object.hasOwn(value, key));
  if (missing !== undefined) throw new RangeError(`${what} has no "${missing}"`);
  return value as Record<string, unknown>;
}

export function whole(value: unknown, what: string, least: number, most: number): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < least || value > most)
    throw new RangeError(`${what} is no whole number from ${least} to ${most}`);
  return value;
}

export function oneOf<T extends string>(value: unknown, what: string, known: readonly T[]): T {
  const found = known.find((each) => each === value);
  if (found === undefined) throw new RangeError(`${what} is none of ${known.join(", ")}`);
  return found;
}

/** A list of at most so many. */
export function list<T>(
  value: unknown,
  what: string,
  most: number,
  read: (each: unknown, what: string) => T,
): T[] {
  if (!Array.isArray(value) || value.length > most)
    throw new RangeError(`${what} is no list of at most ${most}`);
  return value.map((each, at) => read(each, `${what} ${at + 1}`));
}

export function text(value: unknown, what: string, most: number): string {
  if (typeof value !== "string" || value.length > most)
    throw new RangeError(`${what} is no text of at most ${most} characters`);
  return value;
}
