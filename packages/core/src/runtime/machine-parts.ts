// What the parts of a machine share: the rooms behind `Machine`, each of which does one job with these.

import type { Random } from "../base/random.ts";
import type { PlatformProfile } from "../platform/platform-profile.ts";
import type { Properties } from "../platform/properties.ts";
import type { EventRing } from "./event-ring.ts";
import type { Process, ProcessDescription } from "./process.ts";
import type { Registry } from "./registry.ts";
import type { Scheduler } from "./scheduler.ts";
import type { IOService, Kernel, ServiceClass, ServiceContext } from "./service.ts";
import type { UnifiedLog } from "./unified-log.ts";

export interface MachineParts {
  readonly scheduler: Scheduler;
  readonly registry: Registry;
  readonly log: UnifiedLog;
  readonly ring: EventRing;
  readonly profile: PlatformProfile;
  readonly kernel: Kernel;
  readonly kernelProcess: Process;
  /** Latencies of launches and messages. */
  readonly latency: Random;
  createProcess(description: ProcessDescription): Process;
  serviceContext(
    process: Process,
    kernelClass: string,
    userClass: string,
    classChain: readonly string[],
    properties: Properties,
  ): ServiceContext;
}

/** Kernel class of a personality or dictionary -> the chain that matching sees. */
export function kernelClassChain(kernelClass: string): readonly string[] {
  if (kernelClass === "IOService") return ["IOService"];
  if (kernelClass === "IOUserService" || kernelClass === "IOUserUserClient")
    return [kernelClass, "IOService"];
  return [kernelClass, "IOUserService", "IOService"];
}

/** A dext's class made and initialised, or null when `init` refused. */
export function instantiate(cls: ServiceClass, context: ServiceContext): IOService | null {
  const service = new cls(context);
  return service.init() ? service : null;
}
