// The shape of a code of another part of the system than IOKit.

export interface OtherCode {
  /** Names and domains under which it is known, the usual one first. */
  readonly names: readonly string[];
  /** The number, where it is one; null for a word. */
  readonly number: number | null;
  /** "Mach", "Security", "shell": small numbers are known with this word before them only. */
  readonly domain: string;
  readonly means: string;
  readonly fix: string;
  /** What the system prints for it: too common a phrase to be known inside of another one. */
  readonly sentence?: string;
}

export const one = (
  domain: string,
  number: number | null,
  names: readonly string[],
  means: string,
  fix: string,
): OtherCode => ({ domain, number, names, means, fix });
