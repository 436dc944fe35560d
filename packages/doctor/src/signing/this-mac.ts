// The Mac that the evidence is from, as profiles name it.

import type { Evidence } from "../evidence/evidence.ts";
import { watch } from "../evidence/watch.ts";

/** A line of `system_profiler SPHardwareDataType`. A rule has to watch it. */
export const provisioningUdidLine = watch(
  ["Provisioning UDID"],
  /Provisioning UDID:?\s*([0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{16}|(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}))/,
);

/** Null when no file says it, or several say different things. */
export function provisioningUdid(evidence: Evidence): string | null {
  const found = new Set(evidence.hits(provisioningUdidLine).map(({ match }) => match[1].toUpperCase()));
  return found.size === 1 ? ([...found][0] ?? null) : null;
}
