// A small PCI engine and its driver, right or with one habit that a campaign must find.

import { getU32le, putU32le } from "../../base/bytes.ts";
import type { Clock } from "../../base/clock.ts";
import { SmallPciDevice } from "../../devices/small-pci-device.ts";
import { DmaBuffer } from "../../drivers/dma-buffer.ts";
import {
  cancelAndWait,
  IODispatchQueue,
  IOInterruptDispatchSource,
  IOPCIDevice,
  IOReturns,
  IOService,
  kIOInterruptTypePCIMessagedX,
  type OSAction,
  PciCommand,
  PciConfig,
  pciBundle,
} from "../../families/pci/pci-driver-kit.ts";
import { ownPciRig } from "../../rigs/own-rig.ts";
import type { RigEntry } from "../../rigs/rig-entry.ts";
import type { Completion } from "../../runtime/scheduler.ts";
import type { ServiceClass } from "../../runtime/service.ts";

const ids = { vendorId: 0x1d1d, deviceId: 0x0d22 };
const Register = { identity: 0, units: 4, pageLow: 8, doorbell: 12, events: 16 } as const;
const identity = 0x6a6f6273;
const units = 4;
const jobNs = 100_000;
/** Of the page: what the driver asks, and what the engine answers; number and value each. */
const answerAt = 64;

/** One job at a time: number and value are fetched, the double of the value is written, a message says so. */
class JobEngine extends SmallPciDevice {
  readonly #clock: Clock;
  #page = 0;
  #events = 0;
  readonly #ask = new Uint8Array(8);
  readonly #answer = new Uint8Array(8);

  constructor(clock: Clock) {
    super(ids);
    this.#clock = clock;
  }

  get isEngineOn(): boolean {
    return this.#page !== 0;
  }

  protected override readRegister(offset: number): number {
    if (offset === Register.identity) return identity;
    if (offset === Register.units) return units;
    if (offset !== Register.events) return 0;
    // Read to clear.
    const events = this.#events;
    this.#events = 0;
    return events;
  }

  protected override writeRegister(offset: number, value: number): void {
    if (offset === Register.pageLow) this.#page = value;
    if (offset === Register.doorbell && this.#page !== 0)
      this.#clock.after(jobNs, () => this.#work(), undefined);
  }

  protected override clear(): void {
    this.#page = 0;
    this.#events = 0;
  }

  #work(): void {
    if (this.#page === 0 || !this.readMemory(this.#page, this.#ask)) return;
    putU32le(this.#answer, 0, getU32le(this.#ask, 0));
    putU32le(this.#answer, 4, (getU32le(this.#ask, 4) * 2) >>> 0);
    this.writeMemory(this.#page + answerAt, this.#answer);
    this.#events |= 1;
    this.raise(0);
  }
}

/** What the driver does wrong; null: nothing. */
export const jobHabits = [
  "waits-for-ever",
  "believes-numbers",
  "believes-interrupts",
  "believes-registers",
  "trusts-the-page",
  "ends-twice",
  "believes-configuration",
  "insists-on-configuration",
] as const;
export type JobHabit = (typeof jobHabits)[number];

/** PCI 3.0 §6.2.2: I/O, memory, bus mastering, and the line off. */
const knownCommandBits = 0x0407;
const jobs = 3;
const timeoutNs = 1_000_000;
const looks = 5;

/** A rig of its own with the driver; its use runs a few jobs. */
export function jobRig(habit: JobHabit | null): RigEntry {
  const cls: ServiceClass = class JobDriver extends IOService {
    static override readonly queueNames = { InterruptOccurred: "jobs" };
    #device: IOPCIDevice | null = null;
    #page: DmaBuffer | null = null;
    #queue: IODispatchQueue | null = null;
    #source: IOInterruptDispatchSource | null = null;
    #action: OSAction | null = null;
    #pending: { readonly number: number; readonly done: Completion<number> } | null = null;
    #last: Completion<number> | null = null;
    #number = 0;
    #loads: number[] = [];

    override async start(provider: IOService): Promise<void> {
      await super.start(provider);
      if (!(provider instanceof IOPCIDevice)) throw this.failure(IOReturns.kIOReturnUnsupported, "start");
      await provider.open(this);
      this.#device = provider;
      const command = await provider.configurationRead16(PciConfig.command);
      if (habit === "believes-configuration" && (command & ~knownCommandBits) !== 0)
        throw new TypeError(`a command register of 0x${command.toString(16)}`);
      const on = PciCommand.memorySpace | PciCommand.busMaster;
      provider.configurationWrite16(PciConfig.command, command | on);
      if (habit === "insists-on-configuration") {
        const set = await provider.configurationRead16(PciConfig.command);
        if (set !== (command | on)) throw new TypeError("what was written is not what is read");
      }
      let look = 0;
      while ((await provider.memoryRead32(0, Register.identity, 1)) !== identity) {
        if (++look >= looks) throw this.failure(IOReturns.kIOReturnUnsupported, "identity");
        await this.kernel.scheduler.sleep(1_000_000);
      }
      const count = await provider.memoryRead32(0, Register.units, 1);
      if (count === 0 || count > 16) {
        if (habit !== "believes-registers") throw this.failure(IOReturns.kIOReturnUnsupported, "units");
      }
      this.#loads = new Array(
        habit === "believes-registers" && count > 2 ** 31 ? -1 : Math.min(count, 16),
      ).fill(0);
      await provider.configureInterrupts(kIOInterruptTypePCIMessagedX, 1, 1);
      this.#queue = IODispatchQueue.create(this.process, "jobs");
      this.setDispatchQueue("jobs", this.#queue);
      const { source, status } = IOInterruptDispatchSource.create(provider, 0, this.#queue);
      if (source === null) throw this.failure(status, "interrupt");
      this.#source = source;
      this.#action = this.createAction("InterruptOccurred", (_action, count) => this.#interrupt(count));
      source.setHandler(this.#action);
      source.setEnable(true);
      this.#page = DmaBuffer.create(this, provider, 4096, "jobs", 32);
      provider.memoryWrite32(0, Register.pageLow, this.#page.address);
      this.registerService();
    }

    override async stop(provider: IOService): Promise<void> {
      const device = this.#device;
      if (device !== null) {
        device.memoryWrite32(0, Register.pageLow, 0);
        const command = await device.configurationRead16(PciConfig.command);
        device.configurationWrite16(PciConfig.command, command & ~PciCommand.busMaster);
        await device.configurationRead16(PciConfig.command);
      }
      this.#end(null);
      await cancelAndWait(this.kernel.scheduler, [this.#source, this.#action]);
      this.#queue?.release();
      this.#page?.release();
      device?.close(this);
      await super.stop(provider);
    }

    /** The double of `value`; rejects when the engine does not say so in time. */
    async job(value: number): Promise<number> {
      const { bytes } = this.#page as DmaBuffer;
      const number = this.#number++ % units;
      putU32le(bytes, 0, number);
      putU32le(bytes, 4, value);
      const { scheduler } = this.kernel;
      return await scheduler.block<number>("the engine's answer", (done) => {
        this.#pending = { number, done };
        this.#device?.memoryWrite32(0, Register.doorbell, 1);
        if (habit === "waits-for-ever") return;
        const late = (): void => {
          if (this.#pending?.done === done) this.#end(null);
        };
        scheduler.after(timeoutNs, late, undefined);
      });
    }

    async #interrupt(count: number): Promise<void> {
      const events = await (this.#device as IOPCIDevice).memoryRead32(0, Register.events, 1);
      const { bytes } = this.#page as DmaBuffer;
      const number = getU32le(bytes, answerAt);
      if (habit === "believes-numbers") {
        // An index out of memory, into a table.
        const table: { count: number }[] = this.#loads.map((count) => ({ count }));
        table[number].count++;
      }
      if (habit === "believes-interrupts" && (count > 1 || this.#pending === null))
        throw new TypeError("nothing was under way");
      if (habit === "ends-twice" && this.#pending === null) this.#last?.succeed(0);
      if ((events & 1) === 0 || this.#pending === null) return;
      if (habit === "trusts-the-page" && number !== this.#pending.number)
        throw new RangeError("another job's answer");
      if (number === this.#pending.number) this.#end(getU32le(bytes, answerAt + 4));
    }

    #end(value: number | null): void {
      const pending = this.#pending;
      this.#pending = null;
      if (pending === null) return;
      this.#last = pending.done;
      if (value === null) pending.done.fail(this.failure(IOReturns.kIOReturnTimeout, "job"));
      else pending.done.succeed(value);
    }
  };
  return ownPciRig({
    name: "jobs",
    summary: "an engine that doubles numbers",
    device: { name: "an engine that doubles numbers", make: ({ clock }) => new JobEngine(clock) },
    bundles: [pciBundle(cls, ids)],
    use: async ({ machine }) => {
      const driver = machine.registry.byClass("JobDriver")[0] as
        | (IOService & { job(value: number): Promise<number> })
        | undefined;
      if (driver === undefined) return "no driver";
      const values: number[] = [];
      await machine.perform(async () => {
        for (let job = 1; job <= jobs; job++) values.push(await driver.job(job));
      }, driver.process);
      return values.join() === "2,4,6" ? "doubled" : "wrong";
    },
  });
}
