// Fault plans drawn from a seed: any kind, any place, any time. Every campaign over USB draws from here.

import { Random } from "../base/random.ts";
import { type UsbFaultPlan, type UsbFaultRule, usbFaultKinds } from "./usb-faults.ts";

const mostRules = 3;
/** A disconnect at an instant strikes within so much of the first virtual time. */
const latestDisconnectNs = 400_000_000;
const latestTransfer = 30;
const longestDelayNs = 50_000_000;

/**
 * One to three rules. `endpoints` are the places where a rule may strike, as addresses with their direction bit, 0 for the
 * control endpoint and null for any: those that the driver under trial uses.
 */
export function drawUsbFaults(seed: number, endpoints: readonly (number | null)[]): UsbFaultPlan {
  const random = new Random(seed).fork("fault plan");
  const rules = Array.from({ length: random.between(1, mostRules) }, (): UsbFaultRule => {
    const kind = usbFaultKinds[random.below(usbFaultKinds.length)];
    if (kind === "disconnect" && random.chance(0.5)) return { kind, atNs: random.below(latestDisconnectNs) };
    const endpoint = endpoints[random.below(endpoints.length)];
    return {
      kind,
      ...(endpoint === null ? {} : { endpoint }),
      ...(random.chance(0.5)
        ? { nth: random.between(1, latestTransfer) }
        : { probability: random.below(20) / 100 }),
      ...(kind === "delay" ? { delayNs: random.below(longestDelayNs) } : {}),
    };
  });
  return { rules };
}
