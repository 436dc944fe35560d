// A built dext as a bundle that machines install: its classes, its personalities, its entitlements.

import { IOHIDEventService, IOUserHIDEventService } from "@drydock/core/families/hid/io-hid-event-service";
import { IOUserHIDDevice } from "@drydock/core/families/hid/io-user-hid-device";
import { IOUserHIDEventDriver } from "@drydock/core/families/hid/io-user-hid-event-driver";
import { IOUserSCSIPeripheralDeviceType00 } from "@drydock/core/families/scsi/io-user-scsi-peripheral-device-type00";
import { IOUserUSBHostHIDDevice } from "@drydock/core/families/usb-hid/io-user-usb-host-hid-device";
import type { Properties, PropertyValue } from "@drydock/core/platform/properties";
import { isDictionary } from "@drydock/core/platform/properties";
import { OSAction } from "@drydock/core/runtime/action";
import type { DriverBundle } from "@drydock/core/runtime/driver-bundle";
import type { Process } from "@drydock/core/runtime/process";
import { IOService, type ServiceClass, type ServiceContext } from "@drydock/core/runtime/service";
import { IOUserClient } from "@drydock/core/runtime/user-client";
import { DextBlockDevice } from "./block-base.ts";
import { actionCalls, heldByAction } from "./calls/action-calls.ts";
import { blockCalls } from "./calls/block-calls.ts";
import { hidCalls } from "./calls/hid-calls.ts";
import { hidEventCalls } from "./calls/hid-event-calls.ts";
import { memoryCalls } from "./calls/memory-calls.ts";
import { pciCalls } from "./calls/pci-calls.ts";
import { queueCalls, sourceCalls } from "./calls/queue-calls.ts";
import { runtimeCalls } from "./calls/runtime-calls.ts";
import { sanitizerCalls } from "./calls/sanitizer-calls.ts";
import { scsiControllerCalls } from "./calls/scsi-controller-calls.ts";
import { scsiPeripheralCalls } from "./calls/scsi-peripheral-calls.ts";
import { serialCalls } from "./calls/serial-calls.ts";
import { serviceCalls } from "./calls/service-calls.ts";
import { richSourceCalls } from "./calls/source-calls.ts";
import { unfreedDescriptors, usbCalls } from "./calls/usb-calls.ts";
import { userClientCalls } from "./calls/user-client-calls.ts";
import { type CxxClass, knownClassRecords } from "./class-records.ts";
import {
  CxxProcess,
  type DextLedger,
  type DextPlan,
  type EngineMaker,
  emptyLedger,
  type HostCalls,
} from "./cxx-process.ts";
import type { DextCoverage } from "./dext-coverage.ts";
import type { DextImage } from "./dext-image.ts";
import { hasJspi, JspiEngine } from "./jspi-engine.ts";
import { reachableFrom } from "./reachable.ts";
import { DextScsiController } from "./scsi-base.ts";
import { DextSerial, DextUsbSerial } from "./serial-base.ts";
import { queueNamesOf, serviceClass } from "./service-class.ts";
import { WorkerEngine } from "./worker-engine.ts";

/** Everything that a dext can call. */
const hostCalls: HostCalls = {
  ...runtimeCalls,
  ...actionCalls,
  ...serviceCalls,
  ...queueCalls,
  ...sourceCalls,
  ...richSourceCalls,
  ...memoryCalls,
  ...userClientCalls,
  ...usbCalls,
  ...serialCalls,
  ...hidCalls,
  ...hidEventCalls,
  ...pciCalls,
  ...blockCalls,
  ...scsiControllerCalls,
  ...scsiPeripheralCalls,
};

const sanitizedCalls: HostCalls = { ...hostCalls, ...sanitizerCalls };

const callsFor = (image: DextImage): HostCalls => (image.isSanitized ? sanitizedCalls : hostCalls);

/** Classes of frameworks that a dext's class may derive from, and what they are to the runtime. */
const bases: Readonly<Record<string, ServiceClass>> = {
  IOService,
  IOUserClient,
  IOUserSerial: DextSerial,
  IOUserUSBSerial: DextUsbSerial,
  IOUserHIDDevice,
  IOUserUSBHostHIDDevice,
  IOHIDEventService,
  IOUserHIDEventService,
  IOUserHIDEventDriver,
  IOUserBlockStorageDevice: DextBlockDevice,
  IOUserSCSIParallelInterfaceController: DextScsiController,
  IOUserSCSIPeripheralDeviceType00,
};

export interface DextDescription {
  readonly image: DextImage;
  /** Info.plist. */
  readonly info: Properties;
  readonly entitlements: Properties;
  readonly teamIdentifier?: string;
}

export interface DextOptions extends DextPlan {
  /** Bytes of memory that a process of the dext has; it never gets more. Default 32 MiB, as it is linked. */
  readonly memoryBytes?: number;
  readonly makeEngine?: EngineMaker;
  /** How a call that waits is suspended: by the engine (JSPI), or by a thread for each (worker-engine.ts). Default: JSPI where it is. */
  readonly suspends?: "jspi" | "threads";
  /** Told what a build with `coverage` has counted, at the end of each run. */
  readonly coverage?: DextCoverage;
}

const defaultMemoryBytes = 32 * 1024 * 1024;

export interface LeakReport {
  readonly leaks: readonly string[];
  /** Not judged: actions, and what only they may hold. */
  readonly ofActions: readonly string[];
}

/** A dext that can be installed, and what its runs learnt. One of these a run. */
export class LoadedDext {
  readonly bundle: DriverBundle;
  readonly ledger: DextLedger = emptyLedger();
  readonly #image: DextImage;
  readonly #processes = new Map<Process, CxxProcess>();
  readonly #options: DextOptions;
  readonly #functionNames: (readonly [number, string])[] = [];

  /** Throws when it has no class that a system could start, or no engine runs it. */
  constructor(description: DextDescription, options: DextOptions = {}) {
    this.#image = description.image;
    this.#options = options;
    const { info, entitlements } = description;
    const identifier = text(info.CFBundleIdentifier) ?? "org.example.dext";
    this.bundle = {
      identifier,
      version: text(info.CFBundleVersion) ?? "1",
      teamIdentifier: description.teamIdentifier ?? "EXAMPLE001",
      entitlements,
      personalities: personalitiesOf(info),
      classes: this.#classes(),
    };
  }

  /** Functions of the dext's table by what they are: "LoopDriver::Start". */
  get functionNames(): readonly (readonly [number, string])[] {
    return this.#functionNames;
  }

  /** Processes that run it now, or ran it. */
  get processes(): readonly CxxProcess[] {
    return [...this.#processes.values()];
  }

  /** Nothing of it runs again: what its code holds of the system (threads, without JSPI) is given back. */
  close(): void {
    for (const cxx of this.processes) {
      this.#options.coverage?.add(cxx.memory);
      cxx.close();
    }
  }

  /** Objects that were never given up, of processes that have nothing more to run. */
  describeLeaks(): readonly string[] {
    return this.leaksApartFromActions(false).leaks;
  }

  /**
   * `leavesActionsOut`: actions, and what can be reached from them, are listed apart: a process that was ended before its cancels
   * could run has had no time to give them up. So is a USB serial port, which the actions of its own superclass hold.
   */
  leaksApartFromActions(leavesActionsOut: boolean): LeakReport {
    const leaks: string[] = [];
    const ofActions: string[] = [];
    for (const cxx of this.processes) {
      const left = cxx.leaks();
      const actions = left.filter(
        ({ host }) => leavesActionsOut && (host instanceof OSAction || host instanceof DextUsbSerial),
      );
      const held = actions.flatMap(({ host }) => (host instanceof OSAction ? [heldByAction(host)] : []));
      const reached = reachableFrom(
        cxx,
        [...actions.map(({ address }) => address), ...held.flatMap(({ objects }) => objects)],
        held.flatMap(({ blocks }) => blocks),
        unfreedDescriptors(cxx),
      );
      for (const { address, text } of left) (reached.has(address) ? ofActions : leaks).push(text);
      const unfreed = [...unfreedDescriptors(cxx)].filter((address) => !reached.has(address)).length;
      if (unfreed > 0) leaks.push(`${unfreed} descriptors that IOUSBHostFreeDescriptor never got`);
    }
    return { leaks, ofActions };
  }

  /** A process that is not there yet tells what classes there are. */
  #classes(): Record<string, ServiceClass> {
    const classes: Record<string, ServiceClass> = {};
    for (const cls of readClasses(this.#image, this.#options)) {
      const base = baseOf(cls);
      for (const { name, thunk } of cls.methods)
        this.#functionNames.push([thunk, `${cls.name}::${name.slice(name.indexOf(".") + 1)}`]);
      if (base === null) continue;
      classes[cls.name] = serviceClass(
        cls.name,
        base.cls,
        queueNamesOf(ownMethods(cls)),
        ownMethods(cls).map(({ name }) => name),
        (context) => this.#processOf(context),
      );
    }
    return classes;
  }

  #processOf({ kernel, process }: ServiceContext): CxxProcess {
    const known = this.#processes.get(process);
    if (known !== undefined) return known;
    const made = new CxxProcess(
      process,
      kernel,
      this.#image,
      callsFor(this.#image),
      engineMaker(this.#options),
      this.#options,
      this.ledger,
    );
    this.#processes.set(process, made);
    return made;
  }
}

/** Throws RangeError when JSPI is asked for and this engine has none. */
function engineMaker({
  makeEngine,
  memoryBytes = defaultMemoryBytes,
  suspends = hasJspi ? "jspi" : "threads",
}: DextOptions): EngineMaker {
  if (makeEngine !== undefined) return makeEngine;
  if (suspends === "threads") return (image, find) => new WorkerEngine(image, find);
  if (!hasJspi)
    throw new RangeError(
      "this Node cannot suspend WebAssembly (JSPI); leave it out, or take Node 24.21 or later",
    );
  return (image, find) => new JspiEngine(image, memoryBytes, find);
}

/** Classes by the records of a copy that nothing else runs in; once for each image. */
function readClasses(image: DextImage, options: DextOptions): readonly CxxClass[] {
  const known = knownClassRecords(image);
  if (known !== null) return [...known.byName.values()];
  const nobody = { name: "reader" } as unknown as Process;
  const cxx = new CxxProcess(
    nobody,
    undefined as never,
    image,
    callsFor(image),
    engineMaker({ ...options, failCall: 0 } as DextOptions),
    options.watch === undefined ? {} : { watch: options.watch },
    emptyLedger(),
  );
  cxx.close();
  return [...(knownClassRecords(image)?.byName.values() ?? [])];
}

/** Classes that are the frameworks' have a base of their own name; everything between is the dext's. */
function baseOf(cls: CxxClass): { readonly cls: ServiceClass } | null {
  if (bases[cls.name] !== undefined || frameworkClasses.has(cls.name)) return null;
  for (let above = cls.superclass; above !== null; above = above.superclass)
    if (bases[above.name] !== undefined) return { cls: bases[above.name] };
  return null;
}

/** Derived from IOService, and the kernel's own. */
const frameworkClasses = new Set([
  "IOUSBHostDevice",
  "IOUSBHostInterface",
  "IOUserSerial",
  "IOUserUSBSerial",
  "IOHIDDevice",
  "IOHIDInterface",
  "IOPCIDevice",
]);

/** Methods of the dext's classes, from this one up to the framework's; the most derived of a name first. */
function ownMethods(cls: CxxClass): CxxClass["methods"] {
  const methods = [];
  for (
    let each: CxxClass | null = cls;
    each !== null && bases[each.name] === undefined;
    each = each.superclass
  )
    methods.push(...each.methods);
  return methods;
}

function text(value: PropertyValue | undefined): string | null {
  return typeof value === "string" ? value : null;
}

function personalitiesOf(info: Properties): Record<string, Properties> {
  const table = info.IOKitPersonalities;
  if (!isDictionary(table)) return {};
  return Object.fromEntries(Object.entries(table).filter(([, value]) => isDictionary(value))) as Record<
    string,
    Properties
  >;
}
