// From a registered nub to a started driver: candidates, launch, checks, Start, and what was decided why.

import { formatReturn, type IOReturn, IOReturns } from "../base/io-return.ts";
import { pushNewest } from "../base/newest.ts";
import { millisecond, second } from "../base/units.ts";
import { decideLaunch, decideProviderAttach } from "../platform/access.ts";
import { rankPersonalities } from "../platform/driver-choice.ts";
import { type MissingImport, missingImports, systemOfDriverKit } from "../platform/driverkit-symbols.ts";
import type { MatchVerdict } from "../platform/match-verdict.ts";
import { whyNoFamily } from "../platform/platform-families.ts";
import { isDictionary, type Properties } from "../platform/properties.ts";
import { type DriverBundle, dextPath, type InstalledBundle } from "./driver-bundle.ts";
import { instantiate, kernelClassChain, type MachineParts } from "./machine-parts.ts";
import type { Process } from "./process.ts";
import type { IOService } from "./service.ts";
import { callService } from "./service-call.ts";

/** Verdicts that people can look at afterwards; a rig may run for days. */
const keptReports = 4096;

/** Relaunches of one personality on one provider before the others get their turn (driverkit-core.md §11.6). */
const rematchMaximum = 1000;
/** How long a personality with IOMatchDefer waits for others to be loaded. */
const deferNs = 1 * second;

/** One personality judged against one nub. */
export interface Candidate {
  readonly installed: InstalledBundle;
  readonly personalityName: string;
  readonly personality: Properties;
  readonly category: string;
  readonly verdict: MatchVerdict;
}

/** What became of a candidate, for the log, the command line and the doctor. */
export interface MatchReport {
  readonly timeNs: number;
  readonly nub: string;
  readonly candidate: Candidate;
  /** `started`, or what stood in the way, in one sentence. */
  outcome: string;
}

/** A dext service that runs, and where it came from. */
export interface HostedService {
  readonly service: IOService;
  readonly candidate: Candidate;
  readonly nub: IOService;
}

/** A server process and the services in it. */
interface Server {
  readonly process: Process;
  readonly bundle: DriverBundle;
  readonly key: string;
}

/**
 * The kernel's matching and the launch of servers (driverkit-core.md §4.2, §11). Runs on kernel threads; one
 * nub is matched by one thread at a time.
 */
export class DriverLoading {
  readonly #parts: MachineParts;
  readonly #bundles: InstalledBundle[] = [];
  readonly #reports: MatchReport[] = [];
  readonly #hosted = new Map<IOService, HostedService>();
  readonly #servers = new Map<string, Server>();
  readonly #matching = new Set<IOService>();
  readonly #again = new Set<IOService>();
  readonly #deferred = new Set<IOService>();
  readonly #remarks = new WeakMap<IOService, Set<string>>();
  /** Reasons that stand in the log in the system's own words already. */
  readonly #saidBySystem = new Set<string>();
  #nextLoadTag = 1;
  #reportCount = 0;
  readonly #onStarted: (hosted: HostedService) => void;
  readonly #onStartFailed: (service: IOService, nub: IOService) => void;
  readonly #onUnbound: (process: Process, missing: readonly MissingImport[]) => void;

  constructor(
    parts: MachineParts,
    onStarted: (hosted: HostedService) => void,
    onStartFailed: (service: IOService, nub: IOService) => void,
    onUnbound: (process: Process, missing: readonly MissingImport[]) => void,
  ) {
    this.#parts = parts;
    this.#onStarted = onStarted;
    this.#onStartFailed = onStartFailed;
    this.#onUnbound = onUnbound;
  }

  get bundles(): readonly InstalledBundle[] {
    return this.#bundles;
  }

  get reports(): readonly MatchReport[] {
    return this.#reports;
  }

  /** Verdicts so far, those that are no longer kept among them. */
  get reportCount(): number {
    return this.#reportCount;
  }

  /** Some nub is being matched now. */
  get isMatching(): boolean {
    return this.#matching.size > 0;
  }

  hostedBy(service: IOService): HostedService | null {
    return this.#hosted.get(service) ?? null;
  }

  /** Services whose code lives in `process`. */
  servicesOf(process: Process): IOService[] {
    return [...this.#parts.registry.entries()].filter((entry) => entry.process === process);
  }

  bundleOf(process: Process): InstalledBundle | null {
    return (
      this.#bundles.find((installed) => installed.bundle.identifier === process.bundleIdentifier) ?? null
    );
  }

  /** Adds a bundle, or replaces an older version of it, and matches every registered nub again. */
  install(bundle: DriverBundle, isEnabled: boolean): InstalledBundle {
    const old = this.#bundles.findIndex((installed) => installed.bundle.identifier === bundle.identifier);
    const installed: InstalledBundle = { bundle, isEnabled, loadTag: this.#nextLoadTag++ };
    this.#parts.log.registerLoadTag(installed.loadTag, bundle.identifier, old >= 0);
    if (old >= 0) this.#bundles[old] = installed;
    else this.#bundles.push(installed);
    this.matchAll();
    return installed;
  }

  /** The user's switch. */
  setEnabled(identifier: string, isEnabled: boolean): void {
    for (const installed of this.#bundles) {
      if (installed.bundle.identifier === identifier) installed.isEnabled = isEnabled;
    }
    this.matchAll();
  }

  matchAll(): void {
    for (const entry of this.#parts.registry.entries()) if (entry.isRegistered) this.match(entry);
  }

  /** Starts matching of `nub` on a kernel thread; a second request while it runs makes it run once more. */
  match(nub: IOService): void {
    if (this.#matching.has(nub)) {
      this.#again.add(nub);
      return;
    }
    this.#matching.add(nub);
    nub.adjustBusy(1);
    this.#parts.kernelProcess.spawn(`match ${nub.registryName}`, async () => {
      do {
        this.#again.delete(nub);
        await this.#matchOnce(nub);
      } while (this.#again.has(nub) && !nub.isInactive);
      this.#matching.delete(nub);
      this.#again.delete(nub);
      nub.isMatched = true;
      nub.adjustBusy(-1);
    });
  }

  /** Called when a hosted service is gone for good. */
  forget(service: IOService): void {
    this.#hosted.delete(service);
  }

  /** Ends a server that hosts nothing any more. */
  retireIfEmpty(process: Process): void {
    if (process.kind !== "dext" || !process.isAlive || this.servicesOf(process).length > 0) return;
    for (const [key, server] of this.#servers) if (server.process === process) this.#servers.delete(key);
    process.end(IOReturns.MIG_SERVER_DIED);
    this.#parts.ring.record("process-exit", process.pid, 0, process.name);
  }

  forgetServer(process: Process): void {
    for (const [key, server] of this.#servers) if (server.process === process) this.#servers.delete(key);
  }

  /** Verdicts of every installed personality on `nub`, best first; those that do not match last. */
  judge(nub: IOService): Candidate[] {
    const subject = {
      classChain: nub.classChain,
      name: nub.registryName,
      properties: nub.copyProperties(),
    };
    return rankPersonalities(this.#bundles, ({ bundle }) => bundle.personalities, subject).map(
      ({ offer, ...judged }) => ({ ...judged, installed: offer }),
    );
  }

  async #matchOnce(nub: IOService): Promise<void> {
    await this.#parts.scheduler.sleep(this.#parts.latency.between(10_000, 200_000));
    const consumed = new Set<string>();
    for (const client of nub.clients) {
      const hosted = this.#hosted.get(client);
      if (hosted !== undefined && !client.isInactive) consumed.add(hosted.candidate.category);
    }
    for (const candidate of this.judge(nub)) {
      if (nub.isInactive) return;
      if (!candidate.verdict.matches) {
        // Personalities for other classes of provider say nothing about this nub.
        if (candidate.verdict.decidedBy?.key !== "IOProviderClass")
          this.#report(nub, candidate, candidate.verdict.reason);
        continue;
      }
      if (consumed.has(candidate.category)) {
        this.#report(nub, candidate, `category ${candidate.category} has a driver with a better score`);
        continue;
      }
      if (this.#mustDefer(nub, candidate)) {
        this.#report(nub, candidate, "deferred (IOMatchDefer): other personalities may still be loaded");
        continue;
      }
      const rematchCount = nub.properties.IORematchCount;
      if (typeof rematchCount === "number" && rematchCount > rematchMaximum) {
        const outcome = `relaunched more than ${rematchMaximum} times`;
        this.#report(nub, candidate, outcome);
        this.#remark(nub, candidate, outcome);
        continue;
      }
      const outcome = await this.#startCandidate(nub, candidate);
      this.#report(nub, candidate, outcome);
      if (outcome === "started") consumed.add(candidate.category);
      else this.#remark(nub, candidate, outcome);
    }
  }

  #mustDefer(nub: IOService, candidate: Candidate): boolean {
    if (candidate.personality.IOMatchDefer !== true || this.#deferred.has(nub)) return false;
    this.#parts.scheduler.after(
      deferNs,
      () => {
        this.#deferred.add(nub);
        if (!nub.isInactive) this.match(nub);
      },
      undefined,
    );
    return true;
  }

  #report(nub: IOService, candidate: Candidate, outcome: string): void {
    const { scheduler, ring } = this.#parts;
    this.#reportCount++;
    pushNewest(this.#reports, { timeNs: scheduler.nowNs(), nub: nub.path, candidate, outcome }, keptReports);
    ring.record("match", nub.registryId, candidate.verdict.score, `${candidate.personalityName}: ${outcome}`);
  }

  /** A driver that matched and does not run: which, where, and why, in the log where people look. Once for each nub. */
  #remark(nub: IOService, candidate: Candidate, outcome: string): void {
    if (this.#saidBySystem.has(outcome)) return;
    const { personalityName, personality, installed } = candidate;
    const { identifier, kind } = installed.bundle;
    const named = kind === "kext" ? personality.IOClass : personality.IOUserClass;
    const name = typeof named === "string" ? named : personalityName;
    const isMissing = typeof named === "string" && installed.bundle.classes[named] === undefined;
    const has = isMissing ? `; it has: ${Object.keys(installed.bundle.classes).join(", ")}` : "";
    const text = `${name} (personality ${personalityName} of ${identifier}) does not run on ${nub.path}: ${outcome}${has}`;
    const said = this.#remarks.get(nub) ?? new Set();
    this.#remarks.set(nub, said);
    if (said.has(text)) return;
    said.add(text);
    this.#parts.log.remark(text, "error");
  }

  /** Launch, checks, attach, Start. Answers `started`, or the sentence that says what stood in the way. */
  async #startCandidate(nub: IOService, candidate: Candidate): Promise<string> {
    const { log, profile, registry, scheduler } = this.#parts;
    const { bundle } = candidate.installed;
    const isKext = bundle.kind === "kext";
    if (!profile.driverKit && !isKext) return `${profile.name} runs no driver extensions`;
    if (profile.needsEnableSwitch && !candidate.installed.isEnabled)
      return "the driver is not enabled in Settings";
    if (!candidate.installed.isEnabled) return "the driver is not approved";
    const className = isKext ? candidate.personality.IOClass : candidate.personality.IOUserClass;
    const cls = typeof className === "string" ? bundle.classes[className] : undefined;
    if (typeof className !== "string" || cls === undefined)
      return typeof className === "string"
        ? `the bundle has no class ${className}`
        : `the personality has no ${isKext ? "IOClass" : "IOUserClass"}`;
    const userClass = isKext ? "" : className;
    const { IOClass } = candidate.personality;
    const absent = isKext || typeof IOClass !== "string" ? null : whyNoFamily(profile, IOClass);
    if (absent !== null) return absent;

    const refusal = this.#refuseLaunch(bundle);
    if (refusal !== null) return refusal;
    const server = await this.#launch(candidate, nub);
    if (nub.isInactive) {
      this.retireIfEmpty(server.process);
      return "the device left during the launch";
    }
    const unbound = this.#refuseBinding(bundle, server.process);
    if (unbound !== null) {
      this.retireIfEmpty(server.process);
      return unbound;
    }
    const kernelClass =
      typeof candidate.personality.IOClass === "string" ? candidate.personality.IOClass : "IOUserService";
    const context = this.#parts.serviceContext(
      server.process,
      kernelClass,
      userClass,
      isKext ? [kernelClass, "IOService"] : kernelClassChain(kernelClass),
      {
        ...candidate.personality,
        CFBundleIdentifier: candidate.personality.CFBundleIdentifier ?? bundle.identifier,
        IOMatchedPersonality: candidate.personality,
        IOProbeScore: candidate.verdict.score,
        ...(isKext ? {} : { IOUserClasses: [userClass] }),
      },
    );
    const verdict = decideProviderAttach({
      profile,
      processName: server.process.name,
      processId: server.process.pid,
      bundleIdentifier: bundle.identifier,
      registryId: context.registryId,
      serviceClassName: userClass,
      dextEntitlements: bundle.entitlements,
      provider: { classChain: nub.classChain, name: nub.registryName, properties: nub.copyProperties() },
      serviceProperties: context.properties,
    });
    // Kernel code carries no entitlements and is asked for none.
    if (!isKext) for (const line of verdict.logLines) log.kernel(line);
    if (!verdict.allowed && !isKext) {
      this.retireIfEmpty(server.process);
      if (verdict.logLines.length > 0) this.#saidBySystem.add(verdict.reason);
      return verdict.reason;
    }
    let service: IOService | null;
    try {
      service = instantiate(cls, context);
    } catch (error) {
      // The constructor and init are the dext's own code: what they throw ends its process, not the kernel.
      const thread = scheduler.current;
      if (isKext || thread === null) throw error;
      server.process.onFault(server.process, thread, error);
      return `${className}::init threw ${error instanceof Error ? error.message : String(error)}`;
    }
    if (service === null) {
      this.retireIfEmpty(server.process);
      return `${className}::init returned false`;
    }
    registry.attach(service, nub);
    const hosted: HostedService = { service, candidate, nub };
    this.#hosted.set(service, hosted);
    service.isStarting = true;
    const { status, why } = await callService(scheduler, service, "Start", this.#messageDelay(), () =>
      service.start(nub),
    );
    service.isStarting = false;
    if (status !== IOReturns.kIOReturnSuccess) return this.#startFailed(service, nub, status, why);
    if (!service.hasCalledSuperStart && !isKext) {
      log.remark(
        `${className} (${bundle.identifier}): Start returned without super.start(provider); a real IOService needs it`,
        "error",
      );
    }
    service.isStarted = true;
    this.#onStarted(hosted);
    return "started";
  }

  #startFailed(service: IOService, nub: IOService, status: IOReturn, why: string): string {
    this.#onStartFailed(service, nub);
    return `Start failed with ${formatReturn(status)}${why === "" ? "" : `: ${why}`}`;
  }

  /** AMFI at the dext's launch (posts.md T3): its lines are logged; the reason, or null when it may run. */
  #refuseLaunch(bundle: DriverBundle): string | null {
    const { log, profile } = this.#parts;
    if (bundle.profileEntitlements === undefined || !profile.checksEntitlements) return null;
    const verdict = decideLaunch({
      bundleIdentifier: bundle.identifier,
      entitlements: bundle.entitlements,
      profileEntitlements: bundle.profileEntitlements,
    });
    log.lines(verdict.logLines);
    if (!verdict.allowed && verdict.logLines.length > 0) this.#saidBySystem.add(verdict.reason);
    return verdict.allowed ? null : verdict.reason;
  }

  /** The dynamic linker, before any of the dext's code runs (posts.md P03): the reason, or null. */
  #refuseBinding(bundle: DriverBundle, process: Process): string | null {
    const { driverKitVersion } = this.#parts.profile;
    const missing = missingImports(bundle.imports ?? [], driverKitVersion);
    if (missing.length === 0) return null;
    this.#onUnbound(process, missing);
    const { wanted, since } = missing[0];
    return `Symbol not found: ${wanted.symbol} (came with DriverKit ${since}, ${systemOfDriverKit(since)}; this system has ${driverKitVersion})`;
  }

  async #launch(candidate: Candidate, nub: IOService): Promise<Server> {
    const { bundle } = candidate.installed;
    if (bundle.kind === "kext") return { process: this.#parts.kernelProcess, bundle, key: "kernel" };
    const name = candidate.personality.IOUserServerName;
    const serverName = typeof name === "string" ? name : bundle.identifier;
    const shared = candidate.personality.IOUserServerOneProcess === true;
    const key = shared ? serverName : `${serverName}-0x${nub.registryId.toString(16)}`;
    const running = this.#servers.get(key);
    if (running?.process.isAlive) return running;
    await this.#parts.scheduler.sleep(this.#parts.latency.between(15 * millisecond, 60 * millisecond));
    const process = this.#parts.createProcess({
      kind: "dext",
      name: serverName,
      bundleIdentifier: bundle.identifier,
      teamIdentifier: bundle.teamIdentifier,
      entitlements: bundle.entitlements,
      path: dextPath(bundle.identifier),
    });
    const server: Server = { process, bundle, key };
    this.#servers.set(key, server);
    this.#parts.ring.record("process-launch", process.pid, nub.registryId, serverName);
    return server;
  }

  #messageDelay(): number {
    return this.#parts.latency.between(2_000, 20_000);
  }
}

/** UserClientProperties and their like: the dictionary, or null. */
export function dictionaryProperty(service: IOService, key: string): Properties | null {
  const value = service.properties[key];
  return isDictionary(value) ? value : null;
}
