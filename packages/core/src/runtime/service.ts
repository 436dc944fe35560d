// IOService: what every registry entry is, and the base class of every driver.

import type { Nanoseconds } from "../base/clock.ts";
import { ContractViolation } from "../base/errors.ts";
import { type IOReturn, IOReturns } from "../base/io-return.ts";
import { hex } from "../base/text.ts";
import type { LogLevel } from "../platform/log-row.ts";
import { isDictionary, type Properties, type PropertyValue } from "../platform/properties.ts";
import { type ActionHandler, type ActionTarget, OSAction } from "./action.ts";
import { IODispatchQueue } from "./dispatch-queue.ts";
import { IOError } from "./io-error.ts";
import type { Process } from "./process.ts";
import type { Scheduler } from "./scheduler.ts";
import type { IOUserClient } from "./user-client.ts";

export const kIOServiceDefaultQueueName = "Default";
export const kIOServiceSearchPropertyParents = 1;

/** Power flags of SetPowerState and ChangePowerState (driverkit-core.md §10). */
export const kIOServicePowerCapabilityOff = 0x0;
export const kIOServicePowerCapabilityOn = 0x2;
export const kIOServicePowerCapabilityLow = 0x00010000;

/** What a service asks of the machine it lives in. The machine implements it; drivers never see it. */
export interface Kernel {
  readonly scheduler: Scheduler;
  registerService(service: IOService): void;
  /** Asks for termination of a service hosted by `caller`; kIOReturnNotPermitted for anybody else's. */
  terminateFrom(caller: Process, service: IOService): IOReturn;
  /** The service called Stop on its superclass: it is quiet now. */
  didStop(service: IOService): void;
  /** IOService::Create (driverkit-core.md §4.6): an attached, initialised service, or the error. */
  createFromProperties(service: IOService, propertiesKey: string): IOService | IOReturn;
  acknowledgePowerState(service: IOService, powerFlags: number): void;
  changePowerState(service: IOService, powerFlags: number): IOReturn;
  joinPowerTree(service: IOService): IOReturn;
  /** A line of the service's own process in the unified log (os_log). */
  logFrom(process: Process, level: LogLevel, text: string): void;
  /** A remark of Drydock's own about something that a real system does silently. */
  note(text: string): void;
  /** Tells of each service that is registered, those that are already first, and of each that has left. Answers how to stop. */
  watchServices(registered: (service: IOService) => void, left: (service: IOService) => void): () => void;
}

export interface ServiceContext {
  readonly kernel: Kernel;
  readonly process: Process;
  readonly registryId: number;
  /** Kernel class: IOClass of the personality, or the nub's own. */
  readonly kernelClass: string;
  /** The dext's class, IOUserClass; empty for kernel objects. */
  readonly userClass: string;
  /** Kernel class names from this one up to IOService, for IOProviderClass and matching. */
  readonly classChain: readonly string[];
  readonly properties: Properties;
}

/** A driver's class, as a bundle lists it. */
export type ServiceClass = new (context: ServiceContext) => IOService;

/**
 * A registry entry with both of its halves: the kernel's object and, for a hosted service, the dext's. Subclasses
 * override `start`, `stop`, `setPowerState`, `newUserClient`; calling `super` in them is Apple's SUPERDISPATCH.
 *
 * Methods with Apple's names are called by driver code on its own threads; a failed one rejects (or throws) an
 * IOError with the kern_return_t. Fields below "Kernel's side" belong to the machine.
 */
export class IOService implements ActionTarget {
  /** Method name -> QUEUENAME of that method. Subclasses add theirs; names are inherited along the class chain. */
  static readonly queueNames: Readonly<Record<string, string>> = {};

  readonly process: Process;
  readonly registryId: number;
  readonly kernelClass: string;
  readonly userClass: string;
  readonly classChain: readonly string[];
  protected readonly kernel: Kernel;
  readonly #queues = new Map<string, IODispatchQueue>();
  readonly #defaultQueue: IODispatchQueue;
  #retainCount = 1;

  // Kernel's side: state of the registry entry.
  properties: Record<string, PropertyValue>;
  registryName: string;
  location = "";
  provider: IOService | null = null;
  readonly clients: IOService[] = [];
  isStarted = false;
  isRegistered = false;
  isMatched = false;
  isInactive = false;
  isStopped = false;
  /** Start has not returned yet: RegisterService waits for it. */
  isStarting = false;
  /** An override of Start that forgets its superclass is said in the log. */
  hasCalledSuperStart = false;
  /** When Stop returned, nanoseconds; the superclass may still be waiting for its call. Infinity before that. */
  returnedFromStopNs = Number.POSITIVE_INFINITY;
  registrationPending = false;
  busyCount = 0;
  powerState: number | null = null;
  /** Microseconds that a kernel extension answers SetPowerState with; a dext has none to say (posts.md T4). */
  promisedPowerUs = 0;
  /** Family objects this service has open: they are closed by force when it stops. */
  readonly opened: { forceClose(client: IOService): void }[] = [];

  constructor(context: ServiceContext) {
    this.kernel = context.kernel;
    this.process = context.process;
    this.registryId = context.registryId;
    this.kernelClass = context.kernelClass;
    this.userClass = context.userClass;
    this.classChain = context.classChain;
    this.properties = { ...context.properties };
    this.registryName = context.userClass === "" ? context.kernelClass : context.userClass;
    this.#defaultQueue = IODispatchQueue.create(context.process, kIOServiceDefaultQueueName);
    this.#queues.set(kIOServiceDefaultQueueName, this.#defaultQueue);
  }

  /** The dext's class name where there is one, else the kernel's. */
  get className(): string {
    return this.userClass === "" ? this.kernelClass : this.userClass;
  }

  /** `DK:` lines name a service so: class and registry id. */
  get logName(): string {
    return `${this.className}-0x${hex(this.registryId)}`;
  }

  /** Path from the root, for errors: "Root/AppleUSBXHCI/CDC Modem@00100000/IOUSBHostInterface@0". */
  get path(): string {
    const own = this.location === "" ? this.registryName : `${this.registryName}@${this.location}`;
    return this.provider === null ? own : `${this.provider.path}/${own}`;
  }

  get nowNs(): Nanoseconds {
    return this.kernel.scheduler.nowNs();
  }

  /** First call on a new object, before it is attached. False refuses the match. */
  init(): boolean {
    return true;
  }

  /** Last call, when nobody refers to the object any more. */
  free(): void {}

  /** First call after a match, on the default queue. A rejection refuses the provider. Overrides call super first. */
  async start(_provider: IOService): Promise<void> {
    this.hasCalledSuperStart = true;
  }

  /**
   * Quiesce, then call `super.stop(provider)`: that call is what the kernel waits for, without any timeout. It may
   * come later and from another method, after every cancel handler has run (driverkit-core.md §4.3).
   */
  async stop(_provider: IOService): Promise<void> {
    this.kernel.didStop(this);
  }

  /**
   * Kernel objects only: called when the service becomes inactive, before anything is taken away. Nothing waits for it;
   * hosted services get `stop` instead.
   */
  willTerminate(): void {}

  /**
   * The system changes this service's power state. Prepare the hardware, then call `super.setPowerState(flags)`: that
   * call is the acknowledgement, due within 20 s (posts.md T4). A rejection acknowledges at once.
   */
  async setPowerState(powerFlags: number): Promise<void> {
    this.kernel.acknowledgePowerState(this, powerFlags);
  }

  /** An application opens this service. The default refuses with kIOReturnError. */
  async newUserClient(_type: number): Promise<IOUserClient> {
    throw this.failure(IOReturns.kIOReturnError, "NewUserClient");
  }

  /** A client of this service (another dext) crashed. The default does nothing. */
  async clientCrashed(_client: IOService, _options: number): Promise<void> {}

  /** Makes the object matchable; deferred until Start has succeeded (driverkit-core.md §4.4). */
  registerService(): void {
    this.kernel.registerService(this);
  }

  /** Asks for asynchronous termination; Stop follows. Options must be 0. */
  terminate(options = 0): void {
    if (options !== 0) throw this.failure(IOReturns.kIOReturnUnsupported, "IOService.terminate");
    const caller = this.kernel.scheduler.requireCurrent("IOService.terminate").process;
    const status = this.kernel.terminateFrom(caller, this);
    if (status !== IOReturns.kIOReturnSuccess) throw this.failure(status, "IOService.terminate");
  }

  /** The provider given to Start; null before it and after Stop. */
  getProvider(): IOService | null {
    return this.provider;
  }

  getRegistryEntryID(): number {
    return this.registryId;
  }

  setName(name: string): void {
    this.registryName = name;
  }

  /** A copy of the table with IOUserServiceProperties merged on top. */
  copyProperties(): Properties {
    const { IOUserServiceProperties: own, ...rest } = this.properties;
    return { ...rest, ...(isDictionary(own) ? own : {}) };
  }

  /** Merges into IOUserServiceProperties; a service of another process refuses with kIOReturnUnsupported. */
  setProperties(properties: Properties): void {
    const caller = this.kernel.scheduler.current?.process ?? this.process;
    if (caller !== this.process)
      throw this.failure(IOReturns.kIOReturnUnsupported, "IOService.setProperties");
    const own = this.properties.IOUserServiceProperties;
    this.properties.IOUserServiceProperties = { ...(isDictionary(own) ? own : {}), ...properties };
  }

  /** kIOReturnNotFound when SetProperties was never called. */
  removeProperty(name: string): void {
    const own = this.properties.IOUserServiceProperties;
    if (!isDictionary(own)) throw this.failure(IOReturns.kIOReturnNotFound, "IOService.removeProperty");
    const { [name]: _removed, ...rest } = own;
    this.properties.IOUserServiceProperties = rest;
  }

  /** Looks here, and with kIOServiceSearchPropertyParents in the providers too. kIOReturnNotFound. */
  searchProperty(name: string, options = 0): PropertyValue {
    let entry: IOService | null = this;
    while (entry !== null) {
      const value = entry.copyProperties()[name];
      if (value !== undefined) return value;
      entry = (options & kIOServiceSearchPropertyParents) === 0 ? null : entry.provider;
    }
    throw this.failure(IOReturns.kIOReturnNotFound, "IOService.searchProperty", name);
  }

  /** One dictionary per object, this service first, then its providers; only `keys` when given. */
  copyProviderProperties(keys: readonly string[] | null = null): Properties[] {
    const tables: Properties[] = [];
    for (let entry: IOService | null = this; entry !== null; entry = entry.provider) {
      const all: Properties = { ...entry.copyProperties(), IOClass: [...entry.classChain] };
      if (keys === null) tables.push(all);
      else tables.push(Object.fromEntries(Object.entries(all).filter(([key]) => keys.includes(key))));
    }
    return tables;
  }

  adjustBusy(delta: number): void {
    const before = this.busyCount;
    this.busyCount += delta;
    if (this.busyCount < 0) throw new ContractViolation("busy-underflow", `${this.logName} went below zero`);
    if (this.provider !== null && (before === 0) !== (this.busyCount === 0)) {
      this.provider.adjustBusy(before === 0 ? 1 : -1);
    }
  }

  getBusyState(): number {
    return this.busyCount;
  }

  /**
   * A new service from a dictionary of this one's properties, attached to it: user clients are made so.
   * kIOReturnUnsupported when `provider` is not this service or the class cannot be made, kIOReturnBadArgument when
   * the key is no dictionary or lacks IOClass.
   */
  create(provider: IOService, propertiesKey: string): IOService {
    if (provider !== this)
      throw this.failure(IOReturns.kIOReturnUnsupported, "IOService.create", "provider is not this");
    const result = this.kernel.createFromProperties(this, propertiesKey);
    if (typeof result === "number") throw this.failure(result, "IOService.create", propertiesKey);
    return result;
  }

  joinPMTree(): void {
    const status = this.kernel.joinPowerTree(this);
    if (status !== IOReturns.kIOReturnSuccess) throw this.failure(status, "IOService.joinPMTree");
  }

  /** The service's own wish; kIOReturnBadArgument for anything but Off, Low, On. */
  changePowerState(powerFlags: number): void {
    const status = this.kernel.changePowerState(this, powerFlags);
    if (status !== IOReturns.kIOReturnSuccess) throw this.failure(status, "IOService.changePowerState");
  }

  /** kIOReturnBadArgument unless `name` is "Default" or a QUEUENAME of the class or its superclasses. */
  setDispatchQueue(name: string, queue: IODispatchQueue): void {
    if (name !== kIOServiceDefaultQueueName && !this.#knownQueueNames().includes(name)) {
      throw this.failure(IOReturns.kIOReturnBadArgument, "IOService.setDispatchQueue", name);
    }
    queue.retain();
    this.#queues.set(name, queue);
  }

  /** Known but unset: kIOReturnNotFound. Unknown here: asked of the provider. After Stop: kIOReturnError. */
  copyDispatchQueue(name: string): IODispatchQueue {
    if (this.isStopped) throw this.failure(IOReturns.kIOReturnError, "IOService.copyDispatchQueue", name);
    const queue = this.#queues.get(name);
    if (queue !== undefined) {
      queue.retain();
      return queue;
    }
    if (this.provider === null || this.#knownQueueNames().includes(name)) {
      throw this.failure(IOReturns.kIOReturnNotFound, "IOService.copyDispatchQueue", name);
    }
    return this.provider.copyDispatchQueue(name);
  }

  queueForMethod(methodName: string): IODispatchQueue {
    const queueName = this.#queueNameOf(methodName);
    return (queueName === null ? undefined : this.#queues.get(queueName)) ?? this.defaultQueue;
  }

  get defaultQueue(): IODispatchQueue {
    return this.#queues.get(kIOServiceDefaultQueueName) ?? this.#defaultQueue;
  }

  /** Kernel's side: it has left the registry. */
  retireQueues(): void {
    for (const queue of this.#queues.values()) queue.retire();
  }

  /** The generated CreateAction<Method>: callbacks run `handler` on the queue of `methodName`. */
  createAction(methodName: string, handler: ActionHandler): OSAction {
    return OSAction.createTyped(this, methodName, handler, (text) => this.kernel.note(text));
  }

  /** OSAction::Create, untyped: its callbacks are dropped (driverkit-core.md §6). */
  createUntypedAction(methodName: string, handler: ActionHandler): OSAction {
    return OSAction.create(this, methodName, handler, (text) => this.kernel.note(text));
  }

  /** os_log(OS_LOG_DEFAULT, ...) of the dext: cut at 239 bytes, attributed by load tag, possibly dropped (T7). */
  log(text: string, level: LogLevel = "default"): void {
    this.kernel.logFrom(this.process, level, text);
  }

  retain(): void {
    this.#retainCount++;
  }

  /** The last release calls `free`. */
  release(): void {
    if (this.#retainCount === 0) {
      throw new ContractViolation(
        "service-over-release",
        `${this.logName} was released more often than retained`,
      );
    }
    this.#retainCount--;
    if (this.#retainCount === 0) this.free();
  }

  get retainCount(): number {
    return this.#retainCount;
  }

  /** An IOError of this object, for subclasses to throw. */
  failure(code: IOReturn, call: string, detail = ""): IOError {
    const error = new IOError(code, call, this.path, this.nowNs, detail);
    this.kernel.scheduler.refuse(error);
    return error;
  }

  #queueNameOf(methodName: string): string | null {
    for (const names of this.#queueNameTables()) {
      if (names[methodName] !== undefined) return names[methodName];
    }
    return null;
  }

  #knownQueueNames(): string[] {
    return this.#queueNameTables().flatMap((names) => Object.values(names));
  }

  /** The class's table first, then its superclasses'. */
  #queueNameTables(): Readonly<Record<string, string>>[] {
    const tables: Readonly<Record<string, string>>[] = [];
    let cls: unknown = this.constructor;
    while (typeof cls === "function" && cls !== Function.prototype) {
      if (Object.hasOwn(cls, "queueNames")) tables.push((cls as typeof IOService).queueNames);
      cls = Object.getPrototypeOf(cls);
    }
    return tables;
  }
}
