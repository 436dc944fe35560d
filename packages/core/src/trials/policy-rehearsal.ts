// A recorded bus against a policy: each decision, who could enforce it where, what got through before (F20).

import { shown } from "../base/shown-text.ts";
import { hex } from "../base/text.ts";
import { formatNs } from "../base/units.ts";
import { formatRule, type UsbPolicy } from "../codec/usb-policy/usb-policy.ts";
import type { UsbDeviceSummary } from "../dissect/device-summary.ts";
import {
  type Enforcement,
  enforcementOf,
  openEnforcement,
  type PolicyContext,
  type PolicyDecision,
  type PolicyPlatform,
  policyPlatforms,
  UsbPolicyEngine,
} from "../platform/usb-policy.ts";
import { type UsbArrival, usbArrivals } from "../trace/usb-arrivals.ts";
import type { UsbTraceLog } from "../trace/usb-trace-log.ts";

export interface RehearsalOfPlatform extends Enforcement {
  /** Data outside of enumeration that moved before the decision took hold; all, where nothing enforces it. */
  readonly transfersBefore: number;
  readonly bytesBefore: number;
  /** Data of the recording that would not have moved. */
  readonly bytesStopped: number;
}

export interface RehearsedDevice {
  readonly device: number;
  readonly arrivedNs: number;
  readonly decidedNs: number;
  /** Null: its descriptors are not in the recording. */
  readonly summary: UsbDeviceSummary | null;
  readonly decision: PolicyDecision | null;
  readonly platforms: readonly RehearsalOfPlatform[];
}

export interface PolicyRehearsal {
  readonly devices: readonly RehearsedDevice[];
  /** Of every no-open line: what each system makes of it. */
  readonly opens: readonly {
    readonly line: number;
    readonly clientClass: string;
    readonly platforms: readonly Enforcement[];
  }[];
}

export interface PolicyRehearsalOptions {
  /** Default: all. */
  readonly platforms?: readonly PolicyPlatform[];
  /** How long a capture takes after the configuration was chosen. Default 5 ms. */
  readonly captureWindowNs?: number;
  readonly context?: PolicyContext;
}

const defaultWindowNs = 5_000_000;

/** The same recording and policy give the same answer. Devices are judged in the order in which they arrived. */
export function rehearsePolicy(
  log: UsbTraceLog,
  policy: UsbPolicy,
  options: PolicyRehearsalOptions = {},
): PolicyRehearsal {
  const platforms = options.platforms ?? policyPlatforms;
  const engine = new UsbPolicyEngine(policy);
  const windowNs = options.captureWindowNs ?? defaultWindowNs;
  return {
    devices: usbArrivals(log).map((arrival) =>
      rehearseDevice(arrival, engine, platforms, windowNs, options.context),
    ),
    opens: policy.extensions
      .filter(({ kind }) => kind === "no-open")
      .map((one) => ({
        line: one.line,
        clientClass: one.clientClass,
        platforms: platforms.map((platform) => openEnforcement(one, platform)),
      })),
  };
}

function rehearseDevice(
  arrival: UsbArrival,
  engine: UsbPolicyEngine,
  platforms: readonly PolicyPlatform[],
  windowNs: number,
  context: PolicyContext | undefined,
): RehearsedDevice {
  const { summary } = arrival;
  const common = { device: arrival.device, arrivedNs: arrival.timeNs, decidedNs: arrival.knownNs, summary };
  if (summary === null) return { ...common, decision: null, platforms: [] };
  const device = { ...summary, viaPort: "", connectType: null };
  const decision = engine.decide(device, context);
  return {
    ...common,
    decision,
    platforms: platforms.map((platform) => {
      const enforcement = enforcementOf(decision, device, platform);
      const heldNs = arrival.knownNs + (platform.moment === "capture" ? windowNs : 0);
      const isStopped = enforcement.isEnforced === true && decision.target !== "allow";
      const through = isStopped ? arrival.data.filter(({ timeNs }) => timeNs <= heldNs) : arrival.data;
      const sum = (transfers: UsbArrival["data"]): number =>
        transfers.reduce((all, { bytes }) => all + bytes, 0);
      return {
        ...enforcement,
        transfersBefore: through.length,
        bytesBefore: sum(through),
        bytesStopped: sum(arrival.data) - sum(through),
      };
    }),
  };
}

/** For people: one paragraph for each device. */
export function formatPolicyRehearsal(rehearsal: PolicyRehearsal): string {
  const lines: string[] = [];
  for (const { device, arrivedNs, decidedNs, summary, decision, platforms } of rehearsal.devices) {
    if (summary === null || decision === null) {
      lines.push(`device ${device}: its descriptors are not in the recording, so nothing can be decided`, "");
      continue;
    }
    const name = summary.name === "" ? "" : ` "${shown(summary.name)}"`;
    lines.push(
      `device ${device}: ${hex(summary.idVendor, 4)}:${hex(summary.idProduct, 4)}${name}, interfaces ${summary.interfaces.join(" ")}`,
      `  ${decision.target}: ${decision.rule === null ? "no rule fits, the implicit target" : `line ${decision.rule.line}: ${formatRule(decision.rule)}`}`,
      `  decided ${formatNs(decidedNs - arrivedNs)} after it came`,
    );
    if (decision.readOnly !== null) lines.push(`  read only: line ${decision.readOnly.line}`);
    for (const text of decision.unknown) lines.push(`  passed over, ${text}`);
    for (const one of platforms) {
      const mark = one.isEnforced === false ? "NOT ENFORCED" : one.isEnforced === null ? "-" : "enforced";
      lines.push(
        `  ${one.platform.padEnd(8)} ${mark.padEnd(12)} ${one.text}; ${one.bytesBefore} bytes in ${one.transfersBefore} transfers got through, ${one.bytesStopped} would not`,
      );
    }
    lines.push("");
  }
  for (const { line, clientClass, platforms } of rehearsal.opens) {
    lines.push(`line ${line}: nobody opens ${clientClass}`);
    for (const one of platforms)
      lines.push(
        `  ${one.platform.padEnd(8)} ${(one.isEnforced === true ? "enforced" : "NOT ENFORCED").padEnd(12)} ${one.text}`,
      );
    lines.push("");
  }
  return `${lines.join("\n").trimEnd()}\n`;
}
