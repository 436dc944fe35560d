// Where the code stands that runs right now, as the engine writes it.

const framesMost = 64;

export function captureStack(): string {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = framesMost;
  const { stack } = new Error("stack");
  Error.stackTraceLimit = stackTraceLimit;
  return stack ?? "";
}
