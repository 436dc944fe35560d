// Units of time and size, as plain numbers.

export const microsecond = 1_000;
export const millisecond = 1_000_000;
export const second = 1_000_000_000;
export const KiB = 1024;
export const MiB = 1024 * 1024;

/** `90_500` -> "90.5 us"; for people, never parsed. */
export function formatNs(ns: number): string {
  if (ns < 1_000) return `${ns} ns`;
  if (ns < 1_000_000) return `${trim(ns / 1_000)} us`;
  if (ns < 1_000_000_000) return `${trim(ns / 1_000_000)} ms`;
  return `${trim(ns / 1_000_000_000)} s`;
}

function trim(value: number): string {
  return value.toFixed(3).replace(/\.?0+$/, "");
}
