// Which rule of a USB policy decides about a device, and what each operating system could make of the decision.

import type { Random } from "../base/random.ts";
import { hex } from "../base/text.ts";
import type {
  AttributeTest,
  DeviceSelector,
  PolicyCondition,
  PolicyExtension,
  PolicyRule,
  PolicyTarget,
  SetOperator,
  UsbPolicy,
} from "../codec/usb-policy/usb-policy.ts";
import { parsePolicy } from "../codec/usb-policy/usb-policy.ts";

/** What a policy may look at: everything is there when the configuration descriptors have been read. */
export interface PolicyDevice {
  readonly idVendor: number;
  readonly idProduct: number;
  readonly name: string;
  readonly serial: string;
  /** "1-2": bus and connector; "" where nobody knows. */
  readonly viaPort: string;
  /** Class, subclass and protocol of every alternate setting of every configuration, in order: "08:06:50". */
  readonly interfaces: readonly string[];
  /** "hotplug", "hardwired", ""; null where nobody knows. */
  readonly connectType: string | null;
}

export interface PolicyContext {
  /** Draws `random`. Without it such a condition cannot be judged. */
  readonly random?: Random;
  /** Minutes since midnight for `localtime`. Without it such a condition cannot be judged. */
  readonly localMinutes?: number;
  /** Devices that are allowed now, for `allowed-matches`. */
  readonly allowed?: readonly PolicyDevice[];
}

export interface PolicyDecision {
  readonly target: PolicyTarget;
  /** The rule that decided; null: none fits, and the implicit target holds. */
  readonly rule: PolicyRule | null;
  /** Of a storage device that may be mounted: read only. */
  readonly readOnly: PolicyExtension | null;
  /** Never captured, whatever the rules say. */
  readonly exempt: PolicyExtension | null;
  /** Rules that were passed over because something in them cannot be known here. */
  readonly unknown: readonly string[];
}

/** True, false, or null when something it needs is not known. */
type Verdict = boolean | null;

const massStorage = "08";
const hub = "09";
const bootKeyboard = "03:01:01";

/**
 * The first rule that fits decides, as in USBGuard. A rule that cannot be judged is passed over and named, so that a
 * decision never rests on a guess. Remembers when rules were applied, for `rule-applied` and `rule-evaluated`.
 */
export class UsbPolicyEngine {
  readonly policy: UsbPolicy;
  readonly #applied = new Set<PolicyRule>();
  readonly #evaluated = new Set<PolicyRule>();

  constructor(policy: UsbPolicy) {
    this.policy = policy;
  }

  decide(device: PolicyDevice, context: PolicyContext = {}): PolicyDecision {
    const unknown: string[] = [];
    let decided: PolicyRule | null = null;
    for (const rule of this.policy.rules) {
      const fits = this.#fits(rule, device, context, rule);
      this.#evaluated.add(rule);
      if (fits === null) unknown.push(`line ${rule.line}: ${whatIsUnknown(rule)} cannot be known here`);
      if (fits !== true) continue;
      decided = rule;
      this.#applied.add(rule);
      break;
    }
    const target = decided?.target ?? this.policy.implicitTarget;
    const extension = (kind: PolicyExtension["kind"]): PolicyExtension | null =>
      this.policy.extensions.find(
        (one) => one.kind === kind && this.#fits(one, device, context, null) === true,
      ) ?? null;
    const isStorage = device.interfaces.some((type) => type.startsWith(massStorage));
    return {
      target,
      rule: decided,
      readOnly: isStorage ? extension("read-only") : null,
      exempt: extension("exempt"),
      unknown,
    };
  }

  /** The extension that forbids an application this user client of the device; null: it may. `device` null: not known. */
  forbidsOpen(clientClass: string, device: PolicyDevice | null): PolicyExtension | null {
    return (
      this.policy.extensions.find(
        (one) =>
          one.kind === "no-open" &&
          one.clientClass === clientClass &&
          (one.tests.length === 0 || (device !== null && this.#fits(one, device, {}, null) === true)),
      ) ?? null
    );
  }

  #fits(
    selector: DeviceSelector,
    device: PolicyDevice,
    context: PolicyContext,
    rule: PolicyRule | null,
  ): Verdict {
    const verdicts = selector.tests.map((test) => holds(test, device));
    if (verdicts.includes(false)) return false;
    const conditions = selector.conditions.map((condition) => {
      const verdict = this.#judge(condition, context, rule);
      return verdict === null || !condition.isNegated ? verdict : !verdict;
    });
    const joined = conditions.length === 0 ? true : join(conditions, selector.conditionOperator);
    if (joined === false) return false;
    return verdicts.includes(null) || joined === null ? null : true;
  }

  #judge(condition: PolicyCondition, context: PolicyContext, rule: PolicyRule | null): Verdict {
    switch (condition.name) {
      case "true":
        return true;
      case "false":
        return false;
      case "localtime":
        return context.localMinutes === undefined ? null : isWithin(condition.argument, context.localMinutes);
      case "random":
        return context.random === undefined
          ? null
          : context.random.chance(condition.argument === "" ? 0.5 : Number(condition.argument));
      case "allowed-matches": {
        const [query] = parsePolicy(`allow ${condition.argument}`).rules;
        return (context.allowed ?? []).some((device) =>
          query.tests.every((test) => holds(test, device) === true),
        );
      }
      case "rule-applied":
        return condition.argument === "" && rule !== null ? this.#applied.has(rule) : null;
      default:
        return condition.argument === "" && rule !== null ? this.#evaluated.has(rule) : null;
    }
  }
}

function whatIsUnknown(rule: PolicyRule): string {
  const names = [
    ...rule.tests.map(({ name }) => name).filter((name) => /hash|label|connect/.test(name)),
    ...rule.conditions.map(({ name }) => name),
  ];
  return names.join(", ") || "something";
}

function join(verdicts: readonly Verdict[], operator: SetOperator): Verdict {
  if (operator === "one-of") return verdicts.includes(true) ? true : verdicts.includes(null) ? null : false;
  if (operator === "none-of") return verdicts.includes(true) ? false : verdicts.includes(null) ? null : true;
  return verdicts.includes(false) ? false : verdicts.includes(null) ? null : true;
}

function holds(test: AttributeTest, device: PolicyDevice): Verdict {
  const own = valuesOf(test, device);
  if (own === null) return null;
  const isLike = (value: string, wanted: string): boolean => fitsPattern(value, wanted);
  const has = (wanted: string): boolean => own.some((value) => isLike(value, wanted));
  const isCovered = own.every((value) => test.values.some((wanted) => isLike(value, wanted)));
  switch (test.operator) {
    case "all-of":
      return test.values.every(has);
    case "one-of":
      return test.values.some(has);
    case "none-of":
      return !test.values.some(has);
    case "match-all":
      return isCovered;
    case "equals-ordered":
      return (
        own.length === test.values.length && own.every((value, index) => isLike(value, test.values[index]))
      );
    default:
      return isCovered && test.values.every(has) && own.length === test.values.length;
  }
}

/** What the device has under this name; null where it cannot be known. */
function valuesOf(test: AttributeTest, device: PolicyDevice): readonly string[] | null {
  switch (test.name) {
    case "id":
      return [`${hex(device.idVendor, 4)}:${hex(device.idProduct, 4)}`];
    case "name":
      return [device.name];
    case "serial":
      return [device.serial];
    case "via-port":
      return device.viaPort === "" ? null : [device.viaPort];
    case "with-interface":
      return device.interfaces;
    case "with-connect-type":
      return device.connectType === null ? null : [device.connectType];
    default:
      return null;
  }
}

function fitsPattern(value: string, wanted: string): boolean {
  if (!wanted.includes("*")) return value.toLowerCase() === wanted.toLowerCase();
  const parts = value.toLowerCase().split(":");
  return wanted
    .toLowerCase()
    .split(":")
    .every((part, index) => part === "*" || part === parts[index]);
}

/** `08:00-18:00`, also over midnight; `08:00` alone is that minute. */
function isWithin(argument: string, minutes: number): boolean {
  const [from, to] = argument.split("-").map((text) => {
    const [hours, rest] = text.trim().split(":").map(Number);
    return hours * 60 + rest;
  });
  if (to === undefined) return minutes === from;
  return from <= to ? minutes >= from && minutes <= to : minutes >= from || minutes <= to;
}

/** When a decision takes hold on a system, and what it cannot do there. Marks: E established, L likely, U unknown. */
export interface PolicyPlatform {
  readonly id: "linux" | "macos15" | "macos26" | "ipados";
  readonly name: string;
  /**
   * `before-drivers`: no configuration is chosen until the policy has spoken. `capture`: drivers have the device until a
   * root process takes it. `none`: nobody but the system may decide.
   */
  readonly moment: "before-drivers" | "capture" | "none";
  /** Whether a mount can be refused or made read only. */
  readonly decidesMounts: boolean;
  /** What an IOServiceOpen tells who decides about it. */
  readonly openContext: "device" | "class" | "none";
}

export const policyPlatforms: readonly PolicyPlatform[] = [
  // Linux: authorized_default=0, which USBGuard sets (E: kernel documentation, usb/authorization).
  {
    id: "linux",
    name: "Linux with USBGuard",
    moment: "before-drivers",
    decidesMounts: false,
    openContext: "none",
  },
  // AUTH_IOKIT_OPEN has the user client's type and class before macOS 26, the parent's registry id from then on (E, P07).
  { id: "macos15", name: "macOS 15", moment: "capture", decidesMounts: true, openContext: "class" },
  { id: "macos26", name: "macOS 26", moment: "capture", decidesMounts: true, openContext: "device" },
  // Nothing of these exists for third parties there (L: no interface is documented).
  { id: "ipados", name: "iPadOS", moment: "none", decidesMounts: false, openContext: "none" },
];

export function policyPlatform(id: string): PolicyPlatform {
  const found = policyPlatforms.find((one) => one.id === id);
  if (found === undefined)
    throw new RangeError(
      `no policy platform "${id}"; there are: ${policyPlatforms.map((one) => one.id).join(", ")}`,
    );
  return found;
}

/** What a system would do with a decision. */
export interface Enforcement {
  readonly platform: string;
  /** Null: nothing has to be done. */
  readonly isEnforced: boolean | null;
  /** One sentence: by what, or why not. */
  readonly text: string;
}

export function enforcementOf(
  decision: PolicyDecision,
  device: PolicyDevice,
  platform: PolicyPlatform,
): Enforcement {
  const say = (isEnforced: boolean | null, text: string): Enforcement => ({
    platform: platform.id,
    isEnforced,
    text,
  });
  const isStorage = device.interfaces.some((type) => type.startsWith(massStorage));
  if (decision.target === "allow") {
    if (decision.readOnly === null) return say(null, "nothing to do");
    if (platform.decidesMounts) return say(true, "mounted read only (mount approval)");
    return say(
      false,
      `${platform.name} has no mount approval for a third party here: it would be mounted writable`,
    );
  }
  if (platform.moment === "before-drivers") return say(true, "not configured: no driver ever sees it");
  if (platform.moment === "none")
    return say(false, `${platform.name} lets no third party decide about devices`);
  if (decision.exempt !== null) return say(false, `line ${decision.exempt.line} exempts it from capture`);
  if (device.interfaces.some((type) => type.startsWith(hub)))
    return say(false, "a hub is not captured: everything behind it would go");
  const mount = isStorage ? ", and its mount is refused" : "";
  const keyboard = device.interfaces.includes(bootKeyboard)
    ? "; a keyboard is taken: exempt the one that the person types on"
    : "";
  return say(true, `captured by a root process after its drivers have started${mount}${keyboard}`);
}

/** How a `no-open` extension fares on a system. */
export function openEnforcement(extension: PolicyExtension, platform: PolicyPlatform): Enforcement {
  const needsDevice = extension.tests.length > 0;
  const say = (isEnforced: boolean, text: string): Enforcement => ({
    platform: platform.id,
    isEnforced,
    text,
  });
  if (platform.openContext === "none") return say(false, `${platform.name} asks nobody about IOServiceOpen`);
  if (platform.openContext === "device") return say(true, "AUTH_IOKIT_OPEN names the parent's registry id");
  return needsDevice
    ? say(false, "AUTH_IOKIT_OPEN has the client's class and not the device: the rule cannot be enforced")
    : say(true, "AUTH_IOKIT_OPEN names the client's class");
}
