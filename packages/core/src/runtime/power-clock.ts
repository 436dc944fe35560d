// The kernel's patience in numbers: acknowledgement ticks, sleep limits, who panics (posts.md T4).

/** What the kernel allows a hosted service between SetPowerState and super's SetPowerState. */
export const setPowerStateTimeoutUs = 20_000_000;
/** The timer's tick. */
export const acknowledgeTickUs = 100_000;
/** A kernel extension's positive answer below this is raised to it. */
export const positiveAnswerFloorUs = 10_000_000;
/** dk_power_state_timeout_ms: system sleep; then the server is killed. */
export const sleepTimeoutMs = 30_000;
/** Ticks that a timeout is turned into: one more than divides it, 201 for 20 s. */
export function ticksOf(timeoutUs: number): number {
  return Math.floor(timeoutUs / acknowledgeTickUs) + 1;
}

/** Most that one tick is late: a real panic of the 20 s clock read 21257 ms, one of the 10 s clock 10168 ms (T4). */
export const tickLatenessNs = 6_500_000;

/**
 * Nanoseconds from the request to the expiry. The first tick comes one tick after the request, and each is armed when
 * the one before was served, so lateness adds up: `lateNs` (0 to `tickLatenessNs`) is that of every tick.
 */
export function expiryNs(timeoutUs: number, lateNs: number): number {
  return ticksOf(timeoutUs) * (acknowledgeTickUs * 1_000 + lateNs);
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
