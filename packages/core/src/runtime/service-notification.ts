// IOServiceNotificationDispatchSource: who comes and goes among a dext's own services (driverkit-core.md §8.5).

import { matchService } from "../platform/matching.ts";
import type { Properties } from "../platform/properties.ts";
import type { IODispatchQueue } from "./dispatch-queue.ts";
import { DispatchSource } from "./dispatch-source.ts";
import type { IOService, Kernel } from "./service.ts";

export const kIOServiceNotificationTypeTerminated = 0;
export const kIOServiceNotificationTypeMatched = 1;

export interface ServiceNotification {
  readonly type: number;
  readonly service: IOService;
}

/**
 * The handler's action is told that something has come; `deliver` hands it out. Visible are services of the process that
 * watches (likely: Apple's rule names the server, and services whose dext publishes them; the latter are absent).
 * Services that are registered already are told at once.
 */
export class IOServiceNotificationDispatchSource extends DispatchSource {
  readonly #matching: Properties;
  readonly #gone: ServiceNotification[] = [];
  readonly #come: ServiceNotification[] = [];
  readonly #told = new Set<IOService>();
  readonly #stopWatching: () => void;

  constructor(kernel: Kernel, matching: Properties, queue: IODispatchQueue) {
    super(queue);
    this.#matching = matching;
    this.#stopWatching = kernel.watchServices(
      (service) => this.#registered(service),
      (service) => this.#left(service),
    );
  }

  /** What has come since the last time: services that have gone first. */
  deliver(): readonly ServiceNotification[] {
    return [...this.#gone.splice(0), ...this.#come.splice(0)];
  }

  protected override enableChanged(enable: boolean): void {
    if (enable && this.#gone.length + this.#come.length > 0) this.action?.invoke(0, 0, 0);
  }

  protected override cancelled(): void {
    this.#stopWatching();
    this.#gone.length = 0;
    this.#come.length = 0;
  }

  #registered(service: IOService): void {
    if (service.process !== this.queue.process || this.#told.has(service)) return;
    const subject = {
      classChain: service.classChain,
      name: service.registryName,
      properties: service.copyProperties(),
    };
    if (!matchService(this.#matching, subject).matches) return;
    this.#told.add(service);
    this.#come.push({ type: kIOServiceNotificationTypeMatched, service });
    this.#tell();
  }

  #left(service: IOService): void {
    if (!this.#told.delete(service)) return;
    this.#gone.push({ type: kIOServiceNotificationTypeTerminated, service });
    this.#tell();
  }

  #tell(): void {
    if (this.enabled) this.action?.invoke(0, 0, 0);
  }
}
