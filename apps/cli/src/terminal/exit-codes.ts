// What the shell is told (design.md §4).

export const exitCodes = {
  pass: 0,
  finding: 1,
  usage: 2,
  rigError: 3,
  skipped: 77,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
