// The Mac that the evidence is from, as profiles name it.

import type { Evidence } from "../evidence/evidence.ts";
import { watch } from "../evidence/watch.ts";

/** A line of `system_profiler SPHardwareDataType`. A rule has to watch it. */
export const provisioningUdidLine = watch(
  ["Provisioning UDID"],
  /Provisioning UDID: ([0-9A-Fa-f]{8}-[0-9A-Fa-f]{16}|[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12})/,
);

export function provisioningUdid(evidence: Evidence): string | null {
  return evidence.hits(provisioningUdidLine)[0]?.match[1] ?? null;
}
