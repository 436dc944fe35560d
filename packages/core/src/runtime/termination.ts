// Taking services away: unplug, Terminate, crash. Who is told in which order, and when an entry is gone.

import { ContractViolation } from "../base/errors.ts";
import { IOReturns } from "../base/io-return.ts";
import { second } from "../base/units.ts";
import type { DriverLoading } from "./driver-loading.ts";
import type { MachineParts } from "./machine-parts.ts";
import type { Process } from "./process.ts";
import type { IOService } from "./service.ts";
import { callService, sendToService } from "./service-call.ts";

/**
 * Two phases as the kernel has them (driverkit-core.md §4.3): everything above the leaving object becomes inactive at
 * once and every hosted service gets Stop; an entry goes when its clients are gone and it is quiet itself. There is no
 * timeout: a driver that never calls super's Stop keeps its provider.
 */
export class Termination {
  readonly #parts: MachineParts;
  readonly #loading: DriverLoading;
  /** Told when an entry has left the registry: the power tree and the machine's listeners. */
  readonly #onGone: (service: IOService) => void;
  /** Entries that have left: several ends may lead to the same one. */
  readonly #gone = new WeakSet<IOService>();
  /** Services that forgot super.stop, as was said. */
  readonly #remarked = new WeakSet<IOService>();

  constructor(parts: MachineParts, loading: DriverLoading, onGone: (service: IOService) => void) {
    this.#parts = parts;
    this.#loading = loading;
    this.#onGone = onGone;
  }

  /** Ends `service` and everything that stands on it. Idempotent. */
  terminate(service: IOService): void {
    if (service.isInactive) return;
    for (const entry of [...this.#parts.registry.entries(service)]) {
      if (entry.isInactive) continue;
      entry.isInactive = true;
      entry.isRegistered = false;
      this.#parts.ring.record("terminate", entry.registryId, 0, entry.className);
      if (entry.process.kind === "dext") this.#sendStop(entry);
      else entry.willTerminate();
    }
    this.#finishBranch(service);
  }

  /** The service called super's Stop, or its process is dead. Rule `stopped-twice`. */
  didStop(service: IOService): void {
    if (service.isStopped)
      throw new ContractViolation("stopped-twice", `Stop of ${service.logName} reached the superclass twice`);
    service.isStopped = true;
    this.#parts.ring.record("did-stop", service.registryId, 0, service.className);
    for (const session of [...service.opened]) session.forceClose(service);
    if (!service.isInactive) {
      service.isInactive = true;
      service.isRegistered = false;
    }
    this.#finishBranch(service);
  }

  /**
   * A service that was told to stop has not told its superclass, and nothing moves any more (`isIdle`), or it has had a
   * second to do it: it keeps its provider for ever, and its device with it. Said once for each.
   */
  remarkOnForgottenStops(isIdle: boolean): void {
    const until = isIdle ? Number.MAX_SAFE_INTEGER : this.#parts.scheduler.nowNs() - second;
    for (const service of this.#parts.registry.entries()) {
      if (service.returnedFromStopNs > until || service.isStopped || this.#remarked.has(service)) continue;
      this.#remarked.add(service);
      this.#parts.log.remark(
        `${service.className} (${service.process.bundleIdentifier}) was stopped and has not called super.stop(provider): ` +
          `it keeps ${service.provider?.path ?? "its provider"}`,
        "error",
      );
    }
  }

  /** Start was refused: the service goes at once, whatever it has attached or opened goes with it. */
  startFailed(service: IOService): void {
    if (service.isStopped) return;
    for (const client of [...service.clients]) this.terminate(client);
    this.didStop(service);
  }

  /**
   * A server died. Its services are gone at once; their providers are told (ClientCrashed) and matched again with the
   * same personality (driverkit-core.md §11.6).
   */
  serverDied(process: Process): void {
    const services = this.#loading.servicesOf(process);
    process.end(IOReturns.MIG_SERVER_DIED);
    this.#loading.forgetServer(process);
    for (const service of services.reverse()) {
      const { provider } = service;
      const hosted = this.#loading.hostedBy(service);
      if (service.isStopped) continue;
      service.isInactive = true;
      service.isRegistered = false;
      if (provider !== null && provider.process.kind === "dext" && provider.process.isAlive) {
        const target = provider;
        this.#parts.kernelProcess.spawn("client crashed", async () => {
          await callService(this.#parts.scheduler, target, "ClientCrashed", this.#delay(), () =>
            target.clientCrashed(service, 0),
          );
        });
      }
      this.didStop(service);
      if (hosted !== null && provider !== null && !provider.isInactive) {
        provider.properties.IORematchPersonality = hosted.candidate.personality;
        const count = provider.properties.IORematchCount;
        provider.properties.IORematchCount = (typeof count === "number" ? count : 0) + 1;
        this.#loading.match(provider);
      }
    }
  }

  #sendStop(entry: IOService): void {
    const { provider } = entry;
    if (!entry.process.isAlive || provider === null) return;
    sendToService(this.#parts.scheduler, entry, "Stop", this.#delay(), async () => {
      if (entry.isStopped) return;
      try {
        await entry.stop(provider);
      } finally {
        entry.returnedFromStopNs = this.#parts.scheduler.nowNs();
      }
    });
  }

  /** Removes what is quiet, leaves first. */
  #finishBranch(service: IOService): void {
    for (const entry of [...this.#parts.registry.entries(service)].reverse()) this.#finishLeaf(entry);
  }

  #finishLeaf(service: IOService): void {
    const { provider } = service;
    if (!service.isInactive || service.clients.length > 0 || provider === null || this.#gone.has(service))
      return;
    const isHosted = service.process.kind === "dext";
    if (isHosted && !service.isStopped && service.process.isAlive) return;
    this.#gone.add(service);
    this.#parts.registry.detach(service);
    this.#loading.forget(service);
    this.#onGone(service);
    this.#parts.ring.record("gone", service.registryId, 0, service.className);
    service.retireQueues();
    service.release();
    if (isHosted) this.#loading.retireIfEmpty(service.process);
    if (provider.isInactive) this.#finishLeaf(provider);
  }

  #delay(): number {
    return this.#parts.latency.between(2_000, 20_000);
  }
}
