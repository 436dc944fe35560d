// A machine: one simulated computer with its kernel, its drivers and its applications. Start reading here.

import type { Clock } from "../base/clock.ts";
import { ContractViolation } from "../base/errors.ts";
import { formatReturn, type IOReturn, IOReturns } from "../base/io-return.ts";
import { pushNewest } from "../base/newest.ts";
import { Random } from "../base/random.ts";
import { decideLaunch } from "../platform/access.ts";
import type { MissingImport } from "../platform/driverkit-symbols.ts";
import type { LogLevel } from "../platform/log-row.ts";
import type { PlatformProfile } from "../platform/platform-profile.ts";
import type { Properties, PropertyValue } from "../platform/properties.ts";
import type { HostMemory } from "../ports/dma.ts";
import type { Recorder } from "../ports/recorder.ts";
import { MemoryFault } from "./address-space.ts";
import {
  type ClientConnection,
  type ClientDoor,
  type OpenAuthority,
  openUserClient,
} from "./client-connection.ts";
import { DispatchTrap } from "./dispatch-queue.ts";
import type { DriverBundle, InstalledBundle } from "./driver-bundle.ts";
import { DriverLoading, dictionaryProperty, type MatchReport } from "./driver-loading.ts";
import { EventRing } from "./event-ring.ts";
import { crashFacts, type EvidenceFile, panicFacts, unboundFacts } from "./evidence-facts.ts";
import { IOError, ProcessKilled } from "./io-error.ts";
import { instantiate, kernelClassChain, type MachineParts } from "./machine-parts.ts";
import { PowerTree } from "./power-tree.ts";
import { Process, type ProcessDescription } from "./process.ts";
import { Registry } from "./registry.ts";
import { type HostTurn, type RunOutcome, Scheduler } from "./scheduler.ts";
import { IOService, type Kernel, type ServiceContext } from "./service.ts";
import { Termination } from "./termination.ts";
import type { Thread } from "./thread.ts";
import { UnifiedLog } from "./unified-log.ts";
import { UnmatchedRemarks } from "./unmatched-remarks.ts";

/** Of what people look at afterwards the newest are kept; a rig may run for days. */
const keptNotes = 4096;
const keptMisuses = 64;
const keptCrashes = 4096;

export interface MachineOptions {
  /** Everything that chance decides follows from it. */
  readonly seed: number;
  readonly profile: PlatformProfile;
  /** See {@link HostTurn}; `@drydock/node/host-turn` has Node's. */
  readonly turn: HostTurn;
  /** The kernel's `dk` boot argument; bit 0x8000 switches the user client check off. */
  readonly bootArgDk?: number;
  /** Makes the recorder of what happens, on the machine's clock; left out: nobody keeps a timeline. */
  readonly recorder?: (clock: Clock) => Recorder;
  /** Memory that devices of another process reach (QEMU's); left out: ordinary arrays. */
  readonly hostMemory?: HostMemory;
}

/** How a machine ended, when it did not just go idle. */
export type MachineFailure =
  | { readonly kind: "panic"; readonly text: string; readonly evidence: readonly EvidenceFile[] }
  | { readonly kind: "violation"; readonly rule: string; readonly text: string; readonly thread: string };

/** A process that died of its own fault. */
export interface CrashReport {
  readonly process: string;
  readonly bundleIdentifier: string;
  readonly timeNs: number;
  readonly text: string;
  /** Where it was thrown, as the host's JavaScript says it; null: it is no error of code. Not part of any digest. */
  readonly thrownAt: string | null;
  readonly evidence: readonly EvidenceFile[];
}

/**
 * Build one, install bundles, let a bus publish nubs into it, then `run` or `perform`. Everything that would panic or
 * kill on a real system becomes `failure` or an entry of `crashes`; the host process is never in danger (design.md
 * law 7).
 */
export class Machine {
  readonly scheduler: Scheduler;
  readonly registry = new Registry();
  readonly profile: PlatformProfile;
  readonly log: UnifiedLog;
  /** Lossless record of what the kernel did (posts.md F17). */
  readonly ring: EventRing;
  readonly seed: number;
  /** Chance for devices and buses of this machine: fork it by name. */
  readonly random: Random;
  readonly kernelProcess: Process;
  readonly loading: DriverLoading;
  readonly power: PowerTree;
  readonly crashes: CrashReport[] = [];
  /** Drydock's remarks about what a real system does silently. */
  readonly notes: string[] = [];
  /** What devices say that their drivers did against a specification, each sentence once, in order: explorations and soaks tell it. */
  readonly misuses: string[] = [];
  failure: MachineFailure | null = null;
  readonly #hostMemory: HostMemory | null;
  readonly #parts: MachineParts;
  readonly #termination: Termination;
  readonly #unmatched: UnmatchedRemarks;
  readonly #door: ClientDoor;
  readonly #registeredListeners: ((service: IOService) => void)[] = [];
  readonly #goneListeners: ((service: IOService) => void)[] = [];
  #nextPid = 1;

  /** Deadlocks that stand in the log. */
  readonly #waitsSaid = new Set<string>();

  constructor(options: MachineOptions) {
    this.seed = options.seed;
    this.#hostMemory = options.hostMemory ?? null;
    this.profile = options.profile;
    this.random = new Random(options.seed);
    this.scheduler = new Scheduler(this.random.fork("scheduler"), options.turn);
    // Named first: V8 puts a function that is written straight into a property into the old generation, and all it holds
    // (here the whole rig) lives until a full collection. A fifth of a campaign's time went there.
    const onFault = (error: unknown) => this.#kernelFault(error);
    this.scheduler.onFault = onFault;
    const recorder = options.recorder?.(this.scheduler) ?? null;
    this.scheduler.recorder = recorder;
    this.log = new UnifiedLog(this.scheduler, { recorder });
    this.ring = new EventRing(this.scheduler, undefined, recorder);
    this.kernelProcess = this.#createProcess(
      {
        kind: "kernel",
        name: "kernel_task",
        bundleIdentifier: "__kernel__",
        teamIdentifier: "",
        entitlements: {},
        path: "/System/Library/Kernels/kernel",
      },
      0,
    );
    this.#parts = {
      scheduler: this.scheduler,
      registry: this.registry,
      log: this.log,
      ring: this.ring,
      profile: options.profile,
      kernel: this.#kernel(),
      kernelProcess: this.kernelProcess,
      latency: this.random.fork("latency"),
      createProcess: (description) => this.#createProcess(description),
      serviceContext: (process, kernelClass, userClass, classChain, properties) =>
        this.#serviceContext(process, kernelClass, userClass, classChain, properties),
    };
    this.loading = new DriverLoading(
      this.#parts,
      ({ service }) => this.#started(service),
      (service) => this.#termination.startFailed(service),
      (process, missing) => this.#unbound(process, missing),
    );
    this.#unmatched = new UnmatchedRemarks(this.#parts, this.loading);
    this.#termination = new Termination(this.#parts, this.loading, (service) => this.#gone(service));
    this.#door = {
      parts: this.#parts,
      termination: this.#termination,
      bootArgDk: options.bootArgDk ?? 0,
      authority: null,
    };
    this.power = new PowerTree(this.#parts, {
      panic: (service, text) => this.panic(text, service),
      kill: (service, reason) => this.#kill(service.process, reason),
    });
    const root = new IOService(
      this.#serviceContext(this.kernelProcess, "IORegistryEntry", "", ["IOService"], {}),
    );
    root.registryName = "Root";
    this.registry.setRoot(root);
    // What drivers without hardware match on; there from the start on every system.
    const resources = this.publish({ kernelClass: "IOUserResources" }, (context) => new IOService(context));
    resources.registerService();
  }

  get matchReports(): readonly MatchReport[] {
    return this.loading.reports;
  }

  /** Installs a driver bundle (a newer version replaces); it is approved unless told otherwise. */
  /** Called by the buses of a rig. The first ones are kept: what follows is often their consequence. */
  noteMisuse(text: string): void {
    if (this.misuses.length < keptMisuses && !this.misuses.includes(text)) this.misuses.push(text);
  }

  install(bundle: DriverBundle, options: { enabled?: boolean } = {}): InstalledBundle {
    return this.loading.install(bundle, options.enabled ?? true);
  }

  /**
   * A kernel object for a family to publish: `build` gets the context for its constructor. It is attached to
   * `provider` (default: the root) and not yet registered.
   */
  publish<T extends IOService>(
    description: {
      readonly kernelClass: string;
      readonly classChain?: readonly string[];
      readonly properties?: Properties;
      readonly provider?: IOService;
    },
    build: (context: ServiceContext) => T,
  ): T {
    const { kernelClass, classChain = [kernelClass, "IOService"], properties = {}, provider } = description;
    const service = build(this.#serviceContext(this.kernelProcess, kernelClass, "", classChain, properties));
    this.registry.attach(service, provider ?? this.registry.root);
    return service;
  }

  /** Surprise removal or an orderly end of `service` and all that stands on it. */
  terminate(service: IOService): void {
    this.#termination.terminate(service);
  }

  /** Told of each service that becomes visible to applications: how outlets find ports and disks. */
  onRegistered(listener: (service: IOService) => void): void {
    this.#registeredListeners.push(listener);
  }

  /** Told of each service that has left the registry. */
  onGone(listener: (service: IOService) => void): void {
    this.#goneListeners.push(listener);
  }

  /** An application process. Run code in it with `perform`. */
  launchApplication(description: {
    readonly name: string;
    readonly bundleIdentifier?: string;
    readonly teamIdentifier?: string;
    readonly entitlements?: Properties;
    readonly isAdministrator?: boolean;
  }): Process {
    return this.#createProcess({
      kind: "app",
      name: description.name,
      bundleIdentifier: description.bundleIdentifier ?? description.name,
      teamIdentifier: description.teamIdentifier ?? "",
      entitlements: description.entitlements ?? {},
      path: `/Applications/${description.name}.app/Contents/MacOS/${description.name}`,
      isAdministrator: description.isAdministrator ?? false,
    });
  }

  /**
   * Judges the launch of a signed application as AMFI does (posts.md T3). Refused: its lines are logged and null is
   * answered, because the process was killed (exit status 137).
   */
  launchSigned(
    description: Parameters<Machine["launchApplication"]>[0],
    profileEntitlements: Properties | null,
  ): Process | null {
    const verdict = decideLaunch({
      bundleIdentifier: description.bundleIdentifier ?? description.name,
      entitlements: description.entitlements ?? {},
      profileEntitlements,
    });
    this.log.lines(verdict.logLines);
    return verdict.allowed ? this.launchApplication(description) : null;
  }

  /** Asked before every user client is handed out; null (the default): nobody is. */
  set authorizeOpen(authority: OpenAuthority | null) {
    this.#door.authority = authority;
  }

  /** IOServiceOpen from a thread of `application`; see {@link openUserClient} for order and errors. */
  openUserClient(application: Process, service: IOService, type = 0): Promise<ClientConnection> {
    return openUserClient(this.#door, application, service, type);
  }

  /**
   * IORegistryEntryCreateCFProperty from an application: null when absent, or hidden by the platform's sandbox, which
   * then leaves its line in the log (posts.md P13).
   */
  copyProperty(application: Process, service: IOService, key: string): PropertyValue | null {
    const kernelClass = service.kernelClass;
    if (application.kind === "app" && this.profile.hiddenProperties[kernelClass]?.includes(key)) {
      this.log.other({
        process: "kernel",
        sender: "Sandbox",
        text: `Sandbox: ${application.name}(${application.pid}) deny(1) iokit-get-properties iokit-class:${kernelClass} property:${key}`,
      });
      return null;
    }
    return service.copyProperties()[key] ?? null;
  }

  /** How long the next message to a driver travels: drawn from the seed, 2 to 20 microseconds. */
  messageDelayNs(): number {
    return this.#parts.latency.between(2_000, 20_000);
  }

  /** System sleep or wake: blocks a kernel thread until every driver has answered or was killed. */
  setSystemPower(state: "sleep" | "wake"): void {
    this.kernelProcess.spawn(`system ${state}`, () => this.power.setSystemState(state));
  }

  /** Runs until nothing is left to do, or until `limitNs`. */
  async run(limitNs?: number): Promise<RunOutcome> {
    const outcome = await this.scheduler.run(limitNs);
    if (outcome.reason !== "stopped") {
      this.#termination.remarkOnForgottenStops(outcome.reason === "idle");
      this.#unmatched.look();
    }
    for (const { thread, waitsFor, heldBy } of outcome.reason === "deadlock" ? outcome.waits : []) {
      const text = `${thread} waits for ${waitsFor}${heldBy === null ? "" : `, held by ${heldBy}`}, and nothing moves any more`;
      if (this.#waitsSaid.has(text)) continue;
      this.#waitsSaid.add(text);
      this.log.remark(text, "error");
    }
    return outcome;
  }

  /**
   * Runs `body` as a thread of `process` (default: the kernel) and the machine around it, until the body is done.
   * Rejects with what the body threw, or with a sentence that names the deadlock, panic or violation in its way.
   */
  async perform<T>(body: () => Promise<T>, process: Process = this.kernelProcess): Promise<T> {
    let result: { value: T } | { error: unknown } | null = null;
    process.spawn("scenario", async () => {
      try {
        result = { value: await body() };
      } catch (error) {
        if (error instanceof ProcessKilled) throw error;
        result = { error };
      }
    });
    const outcome = await this.scheduler.run(Number.POSITIVE_INFINITY, () => result !== null);
    const ended = result as { value: T } | { error: unknown } | null;
    if (ended === null) throw new Error(`the scenario did not finish: ${this.#describe(outcome)}`);
    if ("error" in ended) throw ended.error;
    return ended.value;
  }

  /** The machine panics: evidence is written, nothing runs any more. The first panic stays. */
  panic(text: string, about: IOService | null = null): void {
    if (this.failure !== null) return;
    const evidence = panicFacts(this.#parts, this.random.fork("evidence"), text, about);
    this.failure = { kind: "panic", text, evidence };
    this.ring.record("panic", 0, 0, text);
    this.scheduler.stop();
  }

  #describe(outcome: RunOutcome): string {
    if (this.failure?.kind === "panic") return `panic: ${this.failure.text}`;
    if (this.failure?.kind === "violation") return `${this.failure.text} (${this.failure.thread})`;
    const waits = outcome.waits.map(
      (wait) =>
        `${wait.thread} waits for ${wait.waitsFor}${wait.heldBy === null ? "" : `, held by ${wait.heldBy}`}`,
    );
    const crashes = this.crashes.map((crash) => `${crash.process} crashed: ${crash.text}`);
    return [outcome.reason, ...waits, ...crashes].join("; ");
  }

  #createProcess(description: ProcessDescription, pid = this.#nextPid++): Process {
    return new Process(
      pid,
      description,
      this.scheduler,
      (process, thread, error) => this.#fault(process, thread, error),
      (process, thread, error) => this.#floated(process, thread, error),
      this.#hostMemory,
    );
  }

  #serviceContext(
    process: Process,
    kernelClass: string,
    userClass: string,
    classChain: readonly string[],
    properties: Properties,
  ): ServiceContext {
    const registryId = this.registry.allocateId();
    return {
      kernel: this.#parts.kernel,
      process,
      registryId,
      kernelClass,
      userClass,
      classChain,
      properties,
    };
  }

  /** What escaped from driver or application code: a broken contract stops the machine, the rest kills the process. */
  #fault(process: Process, thread: Thread, error: unknown, where = ""): void {
    if (error instanceof ProcessKilled || this.failure !== null || !process.isAlive) return;
    if (error instanceof ContractViolation) {
      this.failure = { kind: "violation", rule: error.rule, text: error.message, thread: thread.toString() };
      this.ring.record("violation", process.pid, 0, error.message);
      this.scheduler.stop();
      return;
    }
    if (process.kind === "kernel") {
      this.panic(`Kernel data abort in ${thread.name}: ${messageOf(error)}`);
      return;
    }
    const text =
      error instanceof DispatchTrap || error instanceof MemoryFault
        ? error.message
        : `uncaught ${messageOf(error)}${where}`;
    pushNewest(
      this.crashes,
      {
        process: process.name,
        bundleIdentifier: process.bundleIdentifier,
        timeNs: this.scheduler.nowNs(),
        text,
        thrownAt: thrownAt(error),
        evidence: crashFacts(
          this.#parts,
          this.random.fork(`evidence ${process.pid}`),
          process,
          thread,
          error,
        ),
      },
      keptCrashes,
    );
    this.#kill(process, text);
  }

  /** A refusal that nobody awaited is an ignored return value: a line for people. The rest is a fault as ever. */
  #floated(process: Process, thread: Thread, error: unknown): void {
    if (!(error instanceof IOError)) {
      this.#fault(process, thread, error, " in a call that nobody awaited");
      return;
    }
    const where = thread.stack.at(-1) ?? thread.name;
    this.log.remark(`${process.name} (${where}): ${error.message}; nobody awaited this call`, "error");
    this.ring.record("unawaited", process.pid, error.code, error.message);
  }

  /** The dynamic linker ended a dext before its first instruction. */
  #unbound(process: Process, missing: readonly MissingImport[]): void {
    pushNewest(
      this.crashes,
      {
        process: process.name,
        bundleIdentifier: process.bundleIdentifier,
        timeNs: this.scheduler.nowNs(),
        text: `Symbol not found: ${missing[0].wanted.symbol}`,
        thrownAt: null,
        evidence: unboundFacts(this.#parts, this.random.fork(`evidence ${process.pid}`), process, missing),
      },
      keptCrashes,
    );
  }

  /** Kernel work that belongs to no thread. */
  #kernelFault(error: unknown): void {
    if (this.failure !== null || error instanceof ProcessKilled) return;
    if (error instanceof ContractViolation) {
      this.failure = { kind: "violation", rule: error.rule, text: error.message, thread: "kernel" };
      this.ring.record("violation", 0, 0, error.message);
      this.scheduler.stop();
    } else this.panic(`Kernel data abort: ${messageOf(error)}`);
  }

  #kill(process: Process, reason: string): void {
    if (!process.isAlive) return;
    this.ring.record("process-killed", process.pid, 0, reason);
    this.log.kernel(`DK: ${process.name}[${process.pid}] exited: ${reason}`);
    this.#termination.serverDied(process);
  }

  #started(service: IOService): void {
    if (service.isInactive) return;
    this.power.join(service);
    if (service.registrationPending) this.#register(service);
  }

  #register(service: IOService): void {
    service.registrationPending = false;
    if (service.isRegistered || service.isInactive) return;
    service.isRegistered = true;
    this.ring.record("registered", service.registryId, 0, service.className);
    for (const listener of this.#registeredListeners) listener(service);
    this.loading.match(service);
  }

  #gone(service: IOService): void {
    this.power.forget(service);
    for (const listener of this.#goneListeners) listener(service);
  }

  #create(service: IOService, propertiesKey: string): IOService | IOReturn {
    const dictionary = dictionaryProperty(service, propertiesKey);
    if (dictionary === null) return IOReturns.kIOReturnBadArgument;
    const { IOClass: kernelClass, IOUserClass: userClass } = dictionary;
    if (typeof kernelClass !== "string") return IOReturns.kIOReturnBadArgument;
    const installed = this.loading.bundleOf(service.process);
    const cls = typeof userClass === "string" ? installed?.bundle.classes[userClass] : undefined;
    if (typeof userClass !== "string" || cls === undefined) return IOReturns.kIOReturnUnsupported;
    const context = this.#serviceContext(
      service.process,
      kernelClass,
      userClass,
      kernelClassChain(kernelClass),
      {
        ...dictionary,
        IOUserServerName: service.properties.IOUserServerName ?? service.process.name,
      },
    );
    const made = instantiate(cls, context);
    if (made === null) return IOReturns.kIOReturnUnsupported;
    this.registry.attach(made, service);
    return made;
  }

  /** Why a dictionary made no service: the dext only gets the code. */
  #remarkOnCreate(service: IOService, key: string, status: IOReturn): void {
    const dictionary = dictionaryProperty(service, key);
    const has = Object.keys(this.loading.bundleOf(service.process)?.bundle.classes ?? {}).join(", ");
    const why =
      dictionary === null
        ? `the personality has no dictionary ${key}`
        : typeof dictionary.IOClass !== "string"
          ? `${key} has no IOClass`
          : `the bundle has no class ${String(dictionary.IOUserClass)} that comes up; it has: ${has}`;
    this.log.remark(
      `${service.className}: IOService.create failed with ${formatReturn(status)}: ${why}`,
      "error",
    );
  }

  #kernel(): Kernel {
    return {
      scheduler: this.scheduler,
      registerService: (service) => {
        if (service.isStarting) service.registrationPending = true;
        else this.#register(service);
      },
      terminateFrom: (caller, service) => {
        if (caller !== service.process) return IOReturns.kIOReturnNotPermitted;
        this.#termination.terminate(service);
        return IOReturns.kIOReturnSuccess;
      },
      didStop: (service) => this.#termination.didStop(service),
      createFromProperties: (service, key) => {
        const made = this.#create(service, key);
        if (typeof made === "number") this.#remarkOnCreate(service, key, made);
        return made;
      },
      acknowledgePowerState: (service, flags) => this.power.acknowledge(service, flags),
      changePowerState: (service, flags) => this.power.changeFrom(service, flags),
      joinPowerTree: (service) => this.power.join(service),
      logFrom: (process: Process, level: LogLevel, text: string) => {
        const loadTag = this.loading.bundleOf(process)?.loadTag ?? null;
        this.log.logData(loadTag, level, text);
      },
      note: (text) => {
        pushNewest(this.notes, text, keptNotes);
        this.ring.record("note", 0, 0, text);
      },
      watchServices: (registered, left) => {
        this.#registeredListeners.push(registered);
        this.#goneListeners.push(left);
        for (const service of [...this.registry.entries()]) if (service.isRegistered) registered(service);
        return () => {
          removeFrom(this.#registeredListeners, registered);
          removeFrom(this.#goneListeners, left);
        };
      },
    };
  }
}

function removeFrom<T>(list: T[], member: T): void {
  const at = list.indexOf(member);
  if (at >= 0) list.splice(at, 1);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** The innermost frame of a stack that is not this package's own: "file.ts:12:7". */
function thrownAt(error: unknown): string | null {
  if (!(error instanceof Error) || error.stack === undefined) return null;
  for (const line of error.stack.split("\n")) {
    const frame = /^\s+at (?:.*\()?(?:file:\/\/)?([^()]+:\d+:\d+)\)?$/.exec(line)?.[1];
    if (frame === undefined || /[\\/](?:@drydock|packages)[\\/]core[\\/]|^node:/.test(frame)) continue;
    return frame;
  }
  return null;
}
