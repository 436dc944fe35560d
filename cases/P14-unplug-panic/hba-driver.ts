// P14: what both drivers of the host adapter share: open, memory for counters, commands under way, one completion each.

import { type IOReturn, IOReturns } from "@drydock/core/base/io-return";
import type { IOPCIDevice } from "@drydock/core/families/pci/io-pci-device";
import type { OSAction } from "@drydock/core/runtime/action";
import { IODispatchQueue } from "@drydock/core/runtime/dispatch-queue";
import {
  cancelAndWait,
  IOInterruptDispatchSource,
  IOTimerDispatchSource,
  kIOInterruptTypePCIMessagedX,
} from "@drydock/core/runtime/dispatch-source";
import { IOService } from "@drydock/core/runtime/service";
import { BoardCounters, BoardRegister, openBoard } from "../board-driver.ts";

/** Commands that the driver keeps under way. */
const depth = 4;
const queueName = "Interrupt";

/** How commands ended. */
export interface EndsOfCommands {
  readonly completed: number;
  readonly notPresent: number;
  readonly twice: number;
}

/** What became of commands, over all drivers of a bench. */
export interface HbaLedger extends EndsOfCommands {
  submitted: number;
  completed: number;
  /** Ended with kIOReturnNoDevice. */
  notPresent: number;
  /** Ended more than once: never. */
  twice: number;
}

/** The driver's last line, and a case's result. */
export const describeEnds = (ledger: EndsOfCommands): string =>
  `${ledger.completed} commands completed, ${ledger.notPresent} ended as "device not present", ${ledger.twice} twice`;

export const newLedger = (): HbaLedger => ({ submitted: 0, completed: 0, notPresent: 0, twice: 0 });

export abstract class HbaDriver extends IOService {
  static override readonly queueNames: Readonly<Record<string, string>> = {
    InterruptOccurred: queueName,
    TimerOccurred: queueName,
  };
  protected device: IOPCIDevice | null = null;
  protected counters: BoardCounters | null = null;
  protected interrupt: IOInterruptDispatchSource | null = null;
  protected timer: IOTimerDispatchSource | null = null;
  protected abstract readonly ledger: HbaLedger;
  readonly #actions: OSAction[] = [];
  #seen = 0;
  readonly #pending = new Set<number>();
  #next = 0;
  #completed = 0;
  #twice = 0;

  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    const device = await openBoard(this, provider);
    this.device = device;
    await this.meet(device);
    await device.configureInterrupts(kIOInterruptTypePCIMessagedX, 1, 1);
    this.counters = new BoardCounters(this, device);
    this.#makeSources(device);
    device.memoryWrite32(0, BoardRegister.engine, 1);
    for (let slot = 0; slot < depth; slot++) this.submit();
    this.registerService();
  }

  /** First contact: is it the adapter that we know? */
  protected abstract meet(device: IOPCIDevice): Promise<void>;
  protected abstract interruptOccurred(action: OSAction, count: number): void | Promise<void>;
  protected timerOccurred(_action: OSAction): void | Promise<void> {}

  /** Begins a command: a doorbell, which is a write. */
  protected submit(): void {
    this.#pending.add(this.#next++);
    this.ledger.submitted++;
    this.device?.memoryWrite32(0, BoardRegister.work, 0);
  }

  /** Completes what the adapter has counted in host memory since last time, and begins as many again. */
  protected completeCounted(): void {
    if (this.counters === null) return;
    const count = this.counters.read(0);
    while (this.#seen < count) {
      this.#seen++;
      this.#end(IOReturns.kIOReturnSuccess);
      this.submit();
    }
  }

  /** From software's own state, without a look at the device. */
  protected failAll(): void {
    const notPresent = this.#pending.size;
    while (this.#pending.size > 0) this.#end(IOReturns.kIOReturnNoDevice);
    this.log(describeEnds({ completed: this.#completed, notPresent, twice: this.#twice }));
  }

  protected async cancelSources(): Promise<void> {
    await cancelAndWait(this.kernel.scheduler, [this.interrupt, this.timer, ...this.#actions]);
    this.interrupt = null;
    this.timer = null;
    this.#actions.length = 0;
  }

  protected releaseMemory(): void {
    this.counters?.release();
    this.counters = null;
  }

  #end(status: IOReturn): void {
    const [first] = this.#pending;
    if (first === undefined) {
      this.ledger.twice++;
      this.#twice++;
      return;
    }
    this.#pending.delete(first);
    if (status === IOReturns.kIOReturnSuccess) {
      this.ledger.completed++;
      this.#completed++;
    } else this.ledger.notPresent++;
  }

  #makeSources(device: IOPCIDevice): void {
    const queue = IODispatchQueue.create(this.process, queueName);
    this.setDispatchQueue(queueName, queue);
    let index = 0;
    while (
      ((device.interruptType(index) ?? kIOInterruptTypePCIMessagedX) & kIOInterruptTypePCIMessagedX) ===
      0
    )
      index++;
    const { status, source } = IOInterruptDispatchSource.create(device, index, queue);
    if (source === null) throw this.failure(status, "IOInterruptDispatchSource.create");
    this.interrupt = source;
    this.timer = IOTimerDispatchSource.create(queue);
    const occurred = this.createAction("InterruptOccurred", (action, count) =>
      this.interruptOccurred(action, count),
    );
    const ticked = this.createAction("TimerOccurred", (action) => this.timerOccurred(action));
    this.#actions.push(occurred, ticked);
    source.setHandler(occurred);
    this.timer.setHandler(ticked);
    source.setEnable(true);
    this.timer.setEnable(true);
  }
}
