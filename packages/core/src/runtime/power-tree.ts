// Power states of hosted services, and the kernel's patience with their acknowledgements.

import type { TimerHandle } from "../base/clock.ts";
import { ContractViolation } from "../base/errors.ts";
import { type IOReturn, IOReturns } from "../base/io-return.ts";
import { pushNewest } from "../base/newest.ts";
import { TimelineKind } from "../ports/recorder.ts";
import type { MachineParts } from "./machine-parts.ts";
import {
  expiryNs,
  panicsWhenLate,
  powerTimeoutPanicText,
  raisedAnswerUs,
  setPowerStateTimeoutUs,
  sleepTimeoutMs,
  tickLatenessNs,
} from "./power-clock.ts";
import {
  type IOService,
  kIOServicePowerCapabilityLow,
  kIOServicePowerCapabilityOff,
  kIOServicePowerCapabilityOn,
} from "./service.ts";
import { sendToService } from "./service-call.ts";

/** Transitions that people can look at afterwards; a rig may run for days. */
const keptReports = 4096;

/** Power state index -> flags (driverkit-core.md §10). */
const flagsOfState = [
  kIOServicePowerCapabilityOff,
  kIOServicePowerCapabilityLow,
  kIOServicePowerCapabilityOn,
];

/** A change that a service has not acknowledged yet. */
interface PendingChange {
  readonly from: number;
  readonly to: number;
  readonly startedNs: number;
  readonly budgetNs: number;
  readonly timer: TimerHandle;
  readonly done: (() => void) | null;
}

/** One finished or expired change, for reports (posts.md F13). */
export interface PowerChangeReport {
  readonly service: string;
  readonly from: number;
  readonly to: number;
  /** Nanoseconds between the call and the acknowledgement; null when it never came. */
  readonly tookNs: number | null;
  readonly budgetNs: number;
  /** Super's SetPowerState, an error that counts as one (T4), or nobody: late, or the service is gone. */
  readonly acknowledgedBy: Acknowledger;
}

export type Acknowledger = "super" | "error" | "nobody";

/** What the power tree may do to the machine. */
export interface PowerConsequences {
  /** The acknowledgement clock ran out and Apple's code was in charge: the machine panics. */
  panic(service: IOService, text: string): void;
  /** 30 s of system sleep or shutdown are over: the server is killed. */
  kill(service: IOService, reason: string): void;
}

/**
 * Which services are in the power tree, in which state, and what is pending. The acknowledgement of a hosted service
 * is its call of super's SetPowerState (posts.md T4); on expiry a macOS release kernel panics, because the
 * controlling code is always Apple's.
 */
export class PowerTree {
  readonly #parts: MachineParts;
  readonly #consequences: PowerConsequences;
  readonly #pending = new Map<IOService, PendingChange>();
  readonly #reports: PowerChangeReport[] = [];
  /** Services whose clock ran out and whose acknowledgement may still come. */
  readonly #late = new Set<IOService>();

  constructor(parts: MachineParts, consequences: PowerConsequences) {
    this.#parts = parts;
    this.#consequences = consequences;
  }

  get reports(): readonly PowerChangeReport[] {
    return this.#reports;
  }

  /**
   * kIOReturnNotReady when the service has no living server. A service that has joined already stays as it is. A hosted
   * service gets 20 s for each change whatever it says; one in the kernel gets the time that it promises (T4),
   * and is not in the tree without a promise.
   */
  join(service: IOService): IOReturn {
    const isHosted = service.process.kind === "dext";
    if (!service.process.isAlive || (!isHosted && service.promisedPowerUs === 0))
      return IOReturns.kIOReturnNotReady;
    service.powerState ??= flagsOfState.indexOf(kIOServicePowerCapabilityOn);
    return IOReturns.kIOReturnSuccess;
  }

  /** The service's own wish. kIOReturnBadArgument for unknown flags, kIOReturnNotReady before it has joined. */
  changeFrom(service: IOService, powerFlags: number): IOReturn {
    const state = flagsOfState.indexOf(powerFlags);
    if (state < 0) return IOReturns.kIOReturnBadArgument;
    if (service.powerState === null) return IOReturns.kIOReturnNotReady;
    this.change(service, state, null);
    return IOReturns.kIOReturnSuccess;
  }

  /** Asks the service for `state`; `done` when it is acknowledged, refused or its process is gone. */
  change(service: IOService, state: number, done: (() => void) | null): void {
    const from = service.powerState;
    if (from === null || from === state || this.#pending.has(service) || service.isInactive) {
      done?.();
      return;
    }
    const { scheduler, latency } = this.#parts;
    const timeoutUs = timeoutUsOf(service);
    const timer = scheduler.after(
      expiryNs(timeoutUs, latency.below(tickLatenessNs)),
      () => this.#expired(service),
      undefined,
    );
    this.#pending.set(service, {
      from,
      to: state,
      startedNs: scheduler.nowNs(),
      budgetNs: timeoutUs * 1_000,
      timer,
      done,
    });
    sendToService(scheduler, service, "SetPowerState", latency.between(2_000, 20_000), async () => {
      try {
        await service.setPowerState(flagsOfState[state]);
      } catch (error) {
        if (error instanceof ContractViolation) throw error;
        // An error return counts as an acknowledgement at once (T4).
        if (service.process.isAlive) this.#acknowledge(service, flagsOfState[state], "error");
        throw error;
      }
    });
  }

  /**
   * Super's SetPowerState was called: exactly once per change, with that change's flags. Rule
   * `power-acknowledged-without-change` otherwise; an acknowledgement after the clock ran out is only noted.
   */
  acknowledge(service: IOService, powerFlags: number): void {
    this.#acknowledge(service, powerFlags, "super");
  }

  #acknowledge(service: IOService, powerFlags: number, by: Acknowledger): void {
    const change = this.#pending.get(service);
    const call = `${service.logName}: SetPowerState(0x${powerFlags.toString(16)}) of the superclass`;
    if (change === undefined && this.#late.delete(service)) {
      this.#parts.kernel.note(`${call} after the kernel had given up waiting`);
      return;
    }
    if (change === undefined || flagsOfState[change.to] !== powerFlags) {
      throw new ContractViolation(
        "power-acknowledged-without-change",
        `${call} while ${change === undefined ? "no change is" : "another change is"} pending`,
      );
    }
    service.powerState = change.to;
    this.#finish(service, change, by);
  }

  /** A dead or finished service acknowledges by being gone. */
  forget(service: IOService): void {
    this.#late.delete(service);
    const change = this.#pending.get(service);
    if (change !== undefined) this.#finish(service, change, "nobody");
  }

  /**
   * System sleep: every joined service is driven to off, those furthest from the root first; servers that are not done
   * after 30 s are killed ("Power Management Failed"). Wake drives them to on again, from the root outward. Blocks the
   * calling kernel thread.
   */
  async setSystemState(state: "sleep" | "wake"): Promise<void> {
    const { registry, scheduler } = this.#parts;
    const target = state === "sleep" ? 0 : 2;
    const joined = [...registry.entries()].filter((entry) => entry.powerState !== null && !entry.isInactive);
    const levels = [...new Set(joined.map(depthOf))].sort((a, b) => (state === "sleep" ? b - a : a - b));
    if (levels.length === 0) return;
    await scheduler.block<void>(`system ${state}`, (completion) => {
      let open = new Set<IOService>();
      const timer = scheduler.after(
        sleepTimeoutMs * 1_000_000,
        () => {
          // Only servers can be killed; a driver in the kernel has the time that it promised.
          for (const service of [...open])
            if (service.process.kind === "dext") this.#consequences.kill(service, "Power Management Failed");
        },
        undefined,
      );
      const next = (): void => {
        const level = levels.shift();
        if (level === undefined) {
          scheduler.cancel(timer);
          completion.succeed(undefined);
          return;
        }
        const services = joined.filter((service) => depthOf(service) === level);
        open = new Set(services);
        for (const service of services) {
          this.change(service, target, () => {
            if (open.delete(service) && open.size === 0) next();
          });
        }
      };
      next();
    });
  }

  #expired(service: IOService): void {
    const change = this.#pending.get(service);
    if (change === undefined) return;
    service.properties.IOPMTardyAckSetPowerState = true;
    const tookMs = Math.round((this.#parts.scheduler.nowNs() - change.startedNs) / 1_000_000);
    this.#tell(service, change, "nobody");
    const text = powerTimeoutPanicText(service.className, change.from, change.to, tookMs);
    // A hosted service's power is run by Apple's code, whoever wrote the dext (T4).
    const identifier = service.properties.CFBundleIdentifier;
    const code =
      service.process.kind === "dext" || typeof identifier !== "string" ? "com.apple.iokit" : identifier;
    if (this.#parts.profile.panicsOnPowerTimeout && panicsWhenLate(code)) {
      this.#consequences.panic(service, text);
      return;
    }
    this.#parts.log.kernel(text);
    this.#late.add(service);
    service.powerState = change.to;
    this.#finish(service, change, "nobody");
  }

  #finish(service: IOService, change: PendingChange, by: Acknowledger): void {
    this.#parts.scheduler.cancel(change.timer);
    this.#pending.delete(service);
    if (by !== "nobody") this.#tell(service, change, by);
    change.done?.();
  }

  #tell(service: IOService, change: PendingChange, by: Acknowledger): void {
    const report = this.#report(service, change, by);
    pushNewest(this.#reports, report, keptReports);
    const took = report.tookNs === null ? "never acknowledged" : `acknowledged by ${by}`;
    this.#parts.scheduler.recorder?.record(
      TimelineKind.power,
      `${report.service} ${report.from} -> ${report.to}: ${took}`,
      report.tookNs ?? -1,
      report.budgetNs,
    );
  }

  #report(service: IOService, change: PendingChange, by: Acknowledger): PowerChangeReport {
    return {
      service: service.path,
      from: change.from,
      to: change.to,
      tookNs: by === "nobody" ? null : this.#parts.scheduler.nowNs() - change.startedNs,
      budgetNs: change.budgetNs,
      acknowledgedBy: by,
    };
  }
}

/** Microseconds that the kernel waits: fixed for a hosted service, a kernel extension's own answer otherwise. */
function timeoutUsOf(service: IOService): number {
  return service.process.kind === "dext" ? setPowerStateTimeoutUs : raisedAnswerUs(service.promisedPowerUs);
}

/** Providers between a service and the root. */
function depthOf(service: IOService): number {
  let depth = 0;
  for (let entry = service.provider; entry !== null; entry = entry.provider) depth++;
  return depth;
}
