// A class of the dext as the runtime takes it: its own methods where it has them, Apple's elsewhere.

import { IOReturns } from "@drydock/core/base/io-return";
import type { IOMemoryDescriptor } from "@drydock/core/runtime/memory";
import type { IOService, ServiceClass, ServiceContext } from "@drydock/core/runtime/service";
import type { IOUserClient, IOUserClientMethodArguments } from "@drydock/core/runtime/user-client";
import { blockHooks } from "./calls/block-calls.ts";
import { hidHooks } from "./calls/hid-calls.ts";
import { hidEventHooks } from "./calls/hid-event-calls.ts";
import { scsiControllerHooks } from "./calls/scsi-controller-calls.ts";
import { scsiPeripheralHooks } from "./calls/scsi-peripheral-calls.ts";
import { serialHooks } from "./calls/serial-calls.ts";
import { takeUserClient } from "./calls/service-calls.ts";
import { clientMemory, externalMethod } from "./calls/user-client-calls.ts";
import type { CxxMethod } from "./class-records.ts";
import type { CxxProcess } from "./cxx-process.ts";
import type { Hook } from "./hook.ts";

const serviceHooks: readonly Hook[] = [
  {
    cxx: "IOService.Start",
    method: "start",
    run: (cxx, method, service, provider: IOService) =>
      cxx.runStatus(service, method.thunk, "Start", cxx.addressOf(service), cxx.addressOf(provider)),
  },
  {
    cxx: "IOService.Stop",
    method: "stop",
    run: (cxx, method, service, provider: IOService) =>
      cxx.runStatus(service, method.thunk, "Stop", cxx.addressOf(service), cxx.addressOf(provider)),
  },
  {
    cxx: "IOService.SetPowerState",
    method: "setPowerState",
    run: (cxx, method, service, flags: number) =>
      cxx.runStatus(service, method.thunk, "SetPowerState", cxx.addressOf(service), flags),
  },
  {
    cxx: "IOService.NewUserClient",
    method: "newUserClient",
    run: async (cxx, method, service, type: number): Promise<IOUserClient> => {
      const at = cxx.place(new Uint8Array(8));
      try {
        await cxx.runStatus(service, method.thunk, "NewUserClient", cxx.addressOf(service), type, at);
        const client = takeUserClient(cxx, cxx.memory.u32(at));
        if (client === null)
          throw service.failure(
            IOReturns.kIOReturnUnsupported,
            "NewUserClient",
            "it answered success and no IOUserClient",
          );
        return client;
      } finally {
        cxx.unplace(at);
      }
    },
  },
  {
    cxx: "IOUserClient.ExternalMethod",
    method: "externalMethod",
    run: (cxx, method, service, selector: number, given: IOUserClientMethodArguments) =>
      externalMethod(cxx, method, service as IOUserClient, selector, given),
  },
  {
    cxx: "IOUserClient.CopyClientMemoryForType",
    method: "copyClientMemoryForType",
    run: (cxx, method, service, type: number): Promise<IOMemoryDescriptor> =>
      clientMemory(cxx, method, service as IOUserClient, type),
  },
];

const hooks = [
  ...serviceHooks,
  ...serialHooks,
  ...hidHooks,
  ...hidEventHooks,
  ...blockHooks,
  ...scsiControllerHooks,
  ...scsiPeripheralHooks,
];

/** Name of a method in queueNames: "externalMethod" for "IOUserClient.ExternalMethod", "Read" for one of the dext's own. */
function queueKey(name: string): string {
  return hooks.find(({ cxx }) => cxx === name)?.method ?? name.slice(name.indexOf(".") + 1);
}

/**
 * `base`: what the class is to the runtime, by the framework's class that it derives from. `processOf` finds the memory in
 * which the objects of a process live, and makes it for the first. `isDextClass` tells the dext's own classes from the frameworks'.
 */
export function serviceClass(
  className: string,
  base: ServiceClass,
  queueNames: Readonly<Record<string, string>>,
  implemented: readonly string[],
  processOf: (context: ServiceContext) => CxxProcess,
): ServiceClass {
  const Base = base as new (context: ServiceContext) => IOService;
  class CxxService extends Base {
    static readonly queueNames = queueNames;
    readonly #cxx: CxxProcess;
    readonly #address: number;

    constructor(context: ServiceContext) {
      super(context);
      this.#cxx = processOf(context);
      this.#address = this.#cxx.createFor(this, className, base);
    }

    override init(): boolean {
      if (super.init() && this.#cxx.callInit(this.#address)) return true;
      // Nobody has it: the reference that made it is given up, and its free runs.
      if (!this.#cxx.hasTrapped) this.#cxx.forgetService(this);
      return false;
    }

    override free(): void {
      if (!this.#cxx.hasTrapped) this.#cxx.forgetService(this);
      super.free();
    }
  }
  for (const { cxx: name, method, run } of hooks) {
    if (!implemented.includes(name)) continue;
    Object.defineProperty(CxxService.prototype, method, {
      configurable: true,
      value: function (this: IOService, ...values: never[]): unknown {
        const cxx = processOf({ process: this.process } as ServiceContext);
        const found = cxx.methodOf(className, name) as CxxMethod;
        return run(cxx, found, this, ...values);
      },
    });
  }
  Object.defineProperty(CxxService, "name", { value: className });
  return CxxService;
}

/** Queues of a class's methods, as `IOService.queueNames` has them. */
export function queueNamesOf(
  methods: readonly { readonly name: string; readonly queue: string }[],
): Record<string, string> {
  return Object.fromEntries(
    methods.filter(({ queue }) => queue !== "").map(({ name, queue }) => [queueKey(name), queue]),
  );
}
