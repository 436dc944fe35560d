// One process that runs a dext's code: its memory, its objects beside the host's, its calls both ways.

import { ContractViolation } from "@drydock/core/base/errors";
import { type IOReturn, IOReturns } from "@drydock/core/base/io-return";
import type { PropertyValue } from "@drydock/core/platform/properties";
import { AddressSpace } from "@drydock/core/runtime/address-space";
import type { DispatchRules } from "@drydock/core/runtime/dispatch-queue";
import { IOError, ProcessKilled } from "@drydock/core/runtime/io-error";
import type { Process } from "@drydock/core/runtime/process";
import type { Kernel, ServiceClass } from "@drydock/core/runtime/service";
import { IOService } from "@drydock/core/runtime/service";
import { type ClassRecords, type CxxClass, type CxxMethod, readClassRecords } from "./class-records.ts";
import type { DextImage } from "./dext-image.ts";
import { DextMemory } from "./dext-memory.ts";
import type { Engine, HostAnswer, HostFunction, WasmValue } from "./engine.ts";
import { MemoryStory } from "./memory-story.ts";
import { DextTrap, trapText } from "./trouble.ts";
import { decodeValue, encodeValue } from "./values.ts";

/** An object of the dext's memory, and the host's behind it where there is one. */
interface CxxObject {
  readonly address: number;
  readonly className: string;
  /** What the host has for it; null: it is the dext's own. */
  host: object | null;
  /** Called when the dext has given it up. */
  onFreed: (() => void) | null;
  /** Where it was made. */
  readonly madeAt: string;
}

/** An object that is left at the end. */
export interface LeakedObject {
  readonly address: number;
  readonly host: object | null;
  /** Class and where it was made, as people read it. */
  readonly text: string;
}

/** A call that the host has for the dext, by "Class.method". */
export interface HostCall {
  /** It may wait: the task that calls is suspended. */
  readonly blocks: boolean;
  /** Nothing comes of it. */
  readonly isSilent?: boolean;
  readonly run: (cxx: CxxProcess, ...values: never[]) => HostAnswer;
}

export type HostCalls = Readonly<Record<string, HostCall>>;

/** What a run does to a dext besides running it. */
export interface DextPlan {
  /** The host call that can fail, from 1, which fails; 0 or left out: none. */
  readonly failCall?: number;
  /** What fresh memory holds. */
  readonly fill?: number;
  /** Told which function of the dext runs (0: none), and how often one was entered: for whoever watches from another thread. */
  readonly watch?: Int32Array<SharedArrayBuffer>;
  /** Keeps the stack of each creation, for leaks. */
  readonly tracesObjects?: boolean;
  /** Of a build with --sanitize: keeps where memory was made and given up. Default true; each costs 20 to 40 us. */
  readonly tracesMemory?: boolean;
  /** What queues do when they are given up under somebody; default: the run stops at the release. */
  readonly queueRules?: DispatchRules;
  /** Keeps what the dext hands to devices, with the places where it does. */
  readonly recordsSent?: boolean;
}

/** Bytes that the dext gave to a device in one call. */
export interface SentBytes {
  /** "DeviceRequest". */
  readonly call: string;
  /** As they were when it called. */
  readonly bytes: Uint8Array;
  /** Innermost first, as people read them. */
  readonly where: readonly string[];
}

/** What a run learnt, over all processes of a dext. */
export interface DextLedger {
  /** Calls that can fail, so far. */
  failable: number;
  /** What the one that failed was, with where it was called; null: none has. */
  failed: string | null;
  readonly leaks: string[];
  readonly notImplemented: string[];
  /** Of a dext that was built with --sanitize: each place once. */
  readonly undefinedBehaviour: string[];
  /** In order; empty unless the plan records them. */
  readonly sent: SentBytes[];
}

export function emptyLedger(): DextLedger {
  return { failable: 0, failed: null, leaks: [], notImplemented: [], undefinedBehaviour: [], sent: [] };
}

/** What `DextPlan.watch` names besides functions of the table. */
export const watchedConstructors = -1;
export const watchedInit = -2;

/** Makes the engine for a process. */
export type EngineMaker = (image: DextImage, find: (module: string, name: string) => HostFunction) => Engine;

/** What buffers can be aligned to: from what every block is to the kernel's page. */
const alignments = Array.from({ length: 11 }, (_, power) => 16 << power);
const wordBytes = 4;
/** Of a class's record (drydock/class.h). */
const recordSizeAt = 8;

export class CxxProcess {
  readonly process: Process;
  readonly kernel: Kernel;
  readonly image: DextImage;
  readonly engine: Engine;
  readonly memory: DextMemory;
  /** Memory that the dext itself made, and that the kernel made for it: what maps read-only differs. */
  readonly ownSpace: AddressSpace;
  readonly kernelSpace: AddressSpace;
  readonly ledger: DextLedger;
  /** What its memory was given out for; null unless it was built with --sanitize. */
  readonly story: MemoryStory | null;
  /** Its code has failed: nothing of it is called again. */
  hasTrapped = false;
  readonly #plan: DextPlan;
  /** undefined while constructors of global objects run. */
  readonly #records: ClassRecords;
  readonly #objects = new Map<number, CxxObject>();
  readonly #addresses = new Map<object, number>();
  readonly #bases = new WeakMap<object, ServiceClass>();

  constructor(
    process: Process,
    kernel: Kernel,
    image: DextImage,
    calls: HostCalls,
    makeEngine: EngineMaker,
    plan: DextPlan,
    ledger: DextLedger,
  ) {
    this.process = process;
    this.kernel = kernel;
    this.image = image;
    this.#plan = plan;
    this.ledger = ledger;
    this.story = image.isSanitized ? new MemoryStory() : null;
    const hostMemory = {
      allocate: (length: number, alignment = 0) => this.#allocateBuffer(length, alignment),
      release: (bytes: Uint8Array) => this.#releaseBuffer(bytes),
    };
    this.ownSpace = new AddressSpace(process.name, hostMemory as never);
    this.kernelSpace = new AddressSpace("kernel_task", hostMemory as never);
    this.engine = makeEngine(image, (module, name) => this.#hostFunction(calls, module, name));
    this.memory = new DextMemory(this.engine.memory);
    this.#watchOutside(watchedConstructors);
    this.engine.initialize();
    this.#watchOutside(0);
    if (plan.fill !== undefined) this.engine.callExport("drydock_set_fill", [plan.fill]);
    const first = () => this.engine.callExport("drydock_records", []) as number;
    this.#records = readClassRecords(image, this.memory, first);
  }

  /** See `DextPlan.queueRules`. */
  get queueRules(): DispatchRules | undefined {
    return this.#plan.queueRules;
  }

  // Classes

  /** Nothing of it runs again. */
  close(): void {
    this.engine.close();
  }

  /** The most derived implementation that a class has of "IOService.Start" and its like; null: none. */
  methodOf(className: string, name: string): CxxMethod | null {
    for (let cls = this.#records.byName.get(className) ?? null; cls !== null; cls = cls.superclass) {
      const method = cls.methods.find((each) => each.name === name);
      if (method !== undefined) return method;
    }
    return null;
  }

  methodById(className: string, id: bigint): CxxMethod | null {
    for (let cls = this.#records.byName.get(className) ?? null; cls !== null; cls = cls.superclass) {
      const method = cls.methods.find((each) => each.id === id);
      if (method !== undefined) return method;
    }
    return null;
  }

  // Objects

  /** A new object of the dext's own class, not initialised, for the host's `owner`. */
  createFor(owner: IOService, className: string, base: ServiceClass): number {
    const cls = this.#records.byName.get(className);
    if (cls === undefined) throw new ContractViolation("no-class", `the dext has no class ${className}`);
    const address = this.#make(cls);
    this.#bind(address, owner);
    this.#bases.set(owner, base);
    return address;
  }

  /** The dext's own init, which must not wait. */
  callInit(address: number): boolean {
    const before = this.#watchOutside(watchedInit);
    try {
      return this.engine.callExport("drydock_init", [address]) !== 0;
    } catch (error) {
      throw this.#explained(error);
    } finally {
      this.#watchOutside(before);
    }
  }

  /** The class whose methods are what SUPERDISPATCH of a dext's class means; of a kernel's object: its own. */
  baseOf(service: IOService): ServiceClass {
    return this.#bases.get(service) ?? (service.constructor as ServiceClass);
  }

  /** An object of the host's as the dext sees it, without a reference for the dext. 0 for null. */
  addressOf(host: object | null, ...classNames: readonly string[]): number {
    if (host === null) return 0;
    const known = this.#addresses.get(host);
    if (known !== undefined) return known;
    const names = host instanceof IOService && classNames.length === 0 ? host.classChain : classNames;
    const found = [...names, "IOService", "OSObject"]
      .map((name) => this.#records.byName.get(name))
      .find((cls) => cls !== undefined);
    if (found === undefined)
      throw new ContractViolation("no-class", `the dext has no class for ${names.join(", ")}`);
    const address = this.#make(found);
    this.#bind(address, host);
    return address;
  }

  /** As `addressOf`, of an object that the dext has already; 0: it has not. */
  addressKnown(host: object): number {
    return this.#addresses.get(host) ?? 0;
  }

  /** A list of the host's objects as an OSArray, the same one for the same list; the host keeps its reference. */
  arrayOf(list: readonly object[], className: string): number {
    const known = this.#addresses.get(list);
    if (known !== undefined) return known;
    const members = new Uint32Array(list.map((member) => this.addressOf(member, className)));
    const at = this.place(new Uint8Array(members.buffer));
    const address = this.engine.callExport("drydock_array_of", [at, members.length]) as number;
    this.unplace(at);
    if (address === 0) throw new DextTrap("no memory is left", []);
    this.#bind(address, list);
    return address;
  }

  /** As `addressOf`, with a reference that the dext must release. `onFreed`: it has. */
  handOut(host: object, className: string, onFreed: (() => void) | null = null): number {
    const known = this.#addresses.get(host);
    if (known !== undefined) {
      this.engine.callExport("drydock_retain", [known]);
      return known;
    }
    const address = this.addressOf(host, className);
    (this.#objects.get(address) as CxxObject).onFreed = onFreed;
    return address;
  }

  /** A service with a reference for the dext; the host keeps one of its own, as the registry does. */
  handOutService(service: IOService): number {
    const address = this.addressOf(service);
    this.engine.callExport("drydock_retain", [address]);
    return address;
  }

  /** The host's object behind an address; null: 0, or an object that is the dext's own. */
  hostOf(address: number): object | null {
    return this.#objects.get(address)?.host ?? null;
  }

  /** As `hostOf`, which must be of this class. */
  hostAs<T extends object>(address: number, cls: { readonly prototype: T }): T | null {
    const host = this.hostOf(address);
    return host instanceof (cls as unknown as new () => T) ? host : null;
  }

  classNameOf(address: number): string {
    return this.#objects.get(address)?.className ?? "OSObject";
  }

  retain(address: number): void {
    if (address !== 0) this.engine.callExport("drydock_retain", [address]);
  }

  release(address: number): void {
    if (address !== 0) this.engine.callExport("drydock_release", [address]);
  }

  /** The host gives a service of the dext's up; what stays alive then is held by the dext itself. */
  forgetService(service: IOService): void {
    const address = this.#addresses.get(service);
    if (address === undefined) return;
    this.release(address);
  }

  #make(cls: CxxClass): number {
    const address = this.engine.callExport("drydock_allocate_object", [cls.record]) as number;
    if (address === 0) throw new DextTrap("no memory is left", []);
    return address;
  }

  #bind(address: number, host: object): void {
    const object = this.#objects.get(address);
    if (object !== undefined) object.host = host;
    this.#addresses.set(host, address);
  }

  /** Called by the runtime: an object has come into being. */
  created(address: number, record: number): void {
    // By the record itself where constructors of global objects make objects: no list of records is there yet.
    const className =
      this.#records?.byRecord.get(record)?.name ??
      (record === 0 ? "OSObject" : this.memory.text(this.memory.u32(record)));
    const madeAt = this.#plan.tracesObjects === true ? this.engine.captureStack() : this.memoryStack();
    this.#objects.set(address, { address, className, host: null, onFreed: null, madeAt });
    if (record !== 0)
      this.story?.made(address, this.memory.u32(record + recordSizeAt), `an object of ${className}`, madeAt);
  }

  /** Where the code stands that is given memory, or gives it up; empty: nobody wants to know. */
  memoryStack(): string {
    return this.story === null || this.#plan.tracesMemory === false ? "" : this.engine.captureStack();
  }

  freed(address: number): void {
    const object = this.#objects.get(address);
    if (object === undefined) return;
    this.#objects.delete(address);
    this.story?.freed(address, this.memoryStack());
    if (object.host !== null) this.#addresses.delete(object.host);
    object.onFreed?.();
  }

  /** Objects that the dext made and nobody has given up. Called when nothing of it is left to run. */
  leaks(): LeakedObject[] {
    const leaks: LeakedObject[] = [];
    for (const { address, className, host, madeAt, onFreed } of this.#objects.values()) {
      if (host instanceof IOService && host.process !== this.process) continue;
      if (host !== null && onFreed === null && !(host instanceof IOService)) continue;
      const frames = madeAt === "" ? [] : this.image.describe(madeAt);
      const text = `${className}${frames.length === 0 ? "" : ` made in ${frames.slice(0, 3).join(", called by ")}`}`;
      leaks.push({ address, host, text });
    }
    return leaks;
  }

  /** Where an object's own bytes end; null: no object of the dext's lies there. */
  endOf(address: number): number | null {
    const cls = this.#records.byName.get(this.#objects.get(address)?.className ?? "");
    return cls === undefined ? null : address + this.memory.u32(cls.record + recordSizeAt);
  }

  // Memory

  /** On a multiple of `alignment`, a power of two up to the page; what is no such number counts as none. */
  #allocateBuffer(length: number, alignment: number): Uint8Array {
    const at = this.engine.callExport("drydock_buffer_allocate", [
      length,
      this.#plan.fill === 0xa5 ? 0xa5 : 0,
      alignments.includes(alignment) ? alignment : alignments[0],
    ]) as number;
    if (at === 0) throw new RangeError("no memory is left for a buffer");
    this.story?.made(at, length, "a buffer", this.memoryStack());
    return this.memory.view(at, length);
  }

  #releaseBuffer(bytes: Uint8Array): void {
    this.story?.freed(bytes.byteOffset, this.memoryStack());
    this.engine.callExport("drydock_buffer_free", [bytes.byteOffset]);
  }

  /** Whether bytes lie in the dext's memory, where it can use them by their address. */
  owns(bytes: Uint8Array): boolean {
    return bytes.buffer === this.engine.memory.buffer;
  }

  /** Bytes of the host's in memory that the dext frees with `drydock_raw_free`. */
  place(bytes: Uint8Array): number {
    const at = this.engine.callExport("drydock_raw_allocate", [Math.max(1, bytes.length)]) as number;
    if (at === 0) throw new DextTrap("no memory is left", []);
    this.memory.bytes.set(bytes, at);
    return at;
  }

  unplace(at: number): void {
    this.engine.callExport("drydock_raw_free", [at]);
  }

  /** A property value as an object with a reference for the dext. */
  valueToObject(value: PropertyValue): number {
    const bytes = encodeValue(value);
    const at = this.place(bytes);
    const address = this.engine.callExport("drydock_value_from_bytes", [at, bytes.length]) as number;
    this.unplace(at);
    return address;
  }

  /** What an OSObject of the dext's holds; null for a null pointer, and for what is no value. */
  objectToValue(address: number): PropertyValue | null {
    if (address === 0) return null;
    const at = this.engine.callExport("drydock_value_to_bytes", [address]) as number;
    const length = this.memory.u32(at);
    const bytes = this.memory.copyOut(at + wordBytes, length - wordBytes);
    this.unplace(at);
    return decodeValue(bytes);
  }

  // Calls into the dext

  /** Calls a function of the dext's table, which may wait. What it traps with is the dext's own fault, with its place. */
  async run(thunk: number, ...values: readonly WasmValue[]): Promise<WasmValue | undefined> {
    this.#enter(thunk);
    try {
      return await this.engine.run(thunk, values);
    } catch (error) {
      throw this.#explained(error);
    }
  }

  #enter(thunk: number): void {
    const { watch } = this.#plan;
    if (watch === undefined) return;
    Atomics.store(watch, 0, thunk);
    Atomics.add(watch, 1, 1);
  }

  /** Code that is no function of the table's runs now; answers what ran before. */
  #watchOutside(what: number): number {
    const { watch } = this.#plan;
    if (watch === undefined) return 0;
    Atomics.add(watch, 1, 1);
    return Atomics.exchange(watch, 0, what);
  }

  /** As `run` for a method that answers a kern_return_t: a refusal becomes an IOError of `service`. */
  async runStatus(
    service: IOService,
    thunk: number,
    call: string,
    ...values: readonly WasmValue[]
  ): Promise<void> {
    const status = (Number(await this.run(thunk, ...values)) >>> 0) as IOReturn;
    if (status !== IOReturns.kIOReturnSuccess) throw service.failure(status, call);
  }

  #explained(error: unknown): unknown {
    if (!(error instanceof IOError) && !(error instanceof ProcessKilled)) this.hasTrapped = true;
    if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError)
      return new DextTrap(trapText(error.message), this.image.describe(error.stack ?? ""));
    return error;
  }

  /** A block of the dext's that the host keeps: copied, called through its own function, and released once. */
  keepBlock(block: number): KeptBlock | null {
    if (block === 0) return null;
    const copy = this.engine.callExport("drydock_block_copy", [block]) as number;
    const invoke = this.memory.u32(copy + 12);
    let isKept = true;
    return {
      address: copy,
      run: (...values) => this.run(invoke, copy, ...values),
      release: () => {
        if (isKept) this.engine.callExport("drydock_block_release", [copy]);
        isKept = false;
      },
    };
  }

  /** To be called before the first wait of a call that hands `bytes` to a device. */
  noteSent(call: string, bytes: Uint8Array): void {
    if (this.#plan.recordsSent === true)
      this.ledger.sent.push({ call, bytes: bytes.slice(), where: this.here() });
  }

  /** Where the code of the dext stands that calls the host right now. */
  here(): readonly string[] {
    return this.image.describe(this.engine.captureStack());
  }

  // Calls of the dext's

  #hostFunction(calls: HostCalls, module: string, name: string): HostFunction {
    const found =
      calls[module === "drydock" || module === "wasi_snapshot_preview1" ? `${module}.${name}` : name];
    if (found === undefined) {
      return {
        blocks: false,
        call: () => {
          const text = `not implemented: ${name}${module === "env" ? " (a function that nothing defines)" : ""}`;
          this.ledger.notImplemented.push(name);
          const where = this.here();
          throw new ContractViolation(
            "not-implemented",
            `${text}${where.length === 0 ? "" : `, called in ${where[0]}`}`,
          );
        },
      };
    }
    const { blocks, isSilent = false } = found;
    const run = found.run as (cxx: CxxProcess, ...values: WasmValue[]) => HostAnswer;
    return { blocks, isSilent, call: (...values) => run(this, ...values) };
  }

  /**
   * Counts a call that can fail, and answers whether it shall now. `name` for people. Only one of a run fails, so that what
   * follows from it is seen.
   */
  mustFail(name: string): boolean {
    const number = ++this.ledger.failable;
    if (number !== this.#plan.failCall) return false;
    this.ledger.failed = `call ${number}, ${name}, in ${this.here()[0] ?? "the runtime"}`;
    return true;
  }
}

export interface KeptBlock {
  readonly address: number;
  run(...values: readonly WasmValue[]): Promise<WasmValue | undefined>;
  release(): void;
}

/** The kern_return_t of a call of the host's: an IOError's code. Anything else goes on as it is. */
export function statusOf(error: unknown): number {
  if (error instanceof IOError) return error.code | 0;
  throw error;
}
