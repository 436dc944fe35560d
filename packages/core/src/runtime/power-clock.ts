// The kernel's patience in numbers: acknowledgement ticks, sleep limits, who panics (posts.md T4).

/** What the kernel allows a hosted service between SetPowerState and super's SetPowerState. */
export const setPowerStateTimeoutUs = 20_000_000;
/** The timer's tick. */
export const acknowledgeTickUs = 100_000;
/** A kernel extension's positive answer below this is raised to it. */
export const positiveAnswerFloorUs = 10_000_000;
/** dk_power_state_timeout_ms: system sleep; then the server is killed. */
export const sleepTimeoutMs = 30_000;
/** dk_shutdown_timeout_ms: then shutdown goes on without it. */
export const shutdownTimeoutMs = 30_000;

/** Ticks that a timeout is turned into: one more than divides it, 201 for 20 s. */
export function ticksOf(timeoutUs: number): number {
  return Math.floor(timeoutUs / acknowledgeTickUs) + 1;
}

/**
 * Nanoseconds from the request to the expiry. The ticks run freely, so the first comes `phaseNs` (0 to 100 ms) after
 * the request; scheduling on a busy machine adds more (a real panic read 21257 ms), which is not modelled.
 */
export function expiryNs(timeoutUs: number, phaseNs: number): number {
  return (ticksOf(timeoutUs) - 1) * acknowledgeTickUs * 1_000 + phaseNs;
}

/** What a positive answer of an in-kernel driver becomes. */
export function raisedAnswerUs(answerUs: number): number {
  return answerUs > 0 && answerUs < positiveAnswerFloorUs ? positiveAnswerFloorUs : answerUs;
}

/** Whether a release macOS kernel panics when the driver whose code lies in `bundleIdentifier` is late. */
export function panicsWhenLate(bundleIdentifier: string): boolean {
  return bundleIdentifier.startsWith("com.apple") || bundleIdentifier.startsWith("__kernel__");
}

/** The panic's text. Pointers are hashed in real reports too. */
export function powerTimeoutPanicText(
  className: string,
  from: number,
  to: number,
  milliseconds: number,
): string {
  return `${className}::setPowerState(0xfffffe2999f3a400 : 0xfffffe0014bd4d08, ${from} -> ${to}) timed out after ${milliseconds} ms @IOServicePM.cpp:5530`;
}
