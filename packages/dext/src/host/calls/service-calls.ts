// IOService: what a dext calls on itself, on its provider, and on its superclass.

import { type IOReturn, IOReturns, returnName } from "@drydock/core/base/io-return";
import { isDictionary, type Properties, type PropertyValue } from "@drydock/core/platform/properties";
import { IODispatchQueue } from "@drydock/core/runtime/dispatch-queue";
import { IOService } from "@drydock/core/runtime/service";
import { IOUserClient } from "@drydock/core/runtime/user-client";
import type { CxxProcess, HostCalls } from "../cxx-process.ts";
import { DextTrap } from "../trouble.ts";
import { callsOf, plain, status, statusWaiting, surely } from "./host-call.ts";

export function service(cxx: CxxProcess, self: number): IOService {
  const host = cxx.hostAs(self, IOService);
  if (host === null)
    throw new DextTrap(
      `a call on an ${cxx.classNameOf(self)} that the system did not make as a service`,
      cxx.here(),
    );
  return host;
}

/** What the superclass of a dext's service does, or what a kernel's service itself does. */
function above(cxx: CxxProcess, host: IOService): IOService {
  return cxx.baseOf(host).prototype as IOService;
}

/** A value of the host's through an out-parameter, +1. */
function give(cxx: CxxProcess, at: number, value: PropertyValue | null): number | undefined {
  const object = value === null ? 0 : cxx.valueToObject(value);
  cxx.memory.setU32(at, object);
  return object === 0 ? IOReturns.kIOReturnNotFound : undefined;
}

function matching(cxx: CxxProcess, key: string, value: PropertyValue | null, into: number): number {
  const table = cxx.objectToValue(into);
  const merged: Properties = {
    ...(isDictionary(table ?? undefined) ? (table as Properties) : {}),
    ...(value === null ? {} : { [key]: value }),
  };
  return cxx.valueToObject(merged);
}

const stringMatching = (key: string) =>
  plain((cxx, text: number, into: number) => matching(cxx, key, cxx.memory.text(text), into));
const objectMatching = (key: string) =>
  plain((cxx, text: number, into: number) => matching(cxx, key, cxx.objectToValue(text), into));

export const serviceCalls: HostCalls = callsOf("IOService", {
  Start: statusWaiting(async (cxx, self: number, provider: number) => {
    const host = service(cxx, self);
    await above(cxx, host).start.call(host, service(cxx, provider));
    return undefined;
  }),
  Stop: surely(async (cxx, self: number, provider: number) => {
    const host = service(cxx, self);
    await above(cxx, host).stop.call(host, service(cxx, provider));
    return undefined;
  }),
  SetPowerState: surely(async (cxx, self: number, flags: number) => {
    const host = service(cxx, self);
    await above(cxx, host).setPowerState.call(host, flags >>> 0);
    return undefined;
  }),
  NewUserClient: statusWaiting(async (cxx, self: number, type: number, client: number) => {
    const host = service(cxx, self);
    const made = await above(cxx, host).newUserClient.call(host, type >>> 0);
    cxx.memory.setU32(client, cxx.handOutService(made));
    return undefined;
  }),
  ClientCrashed: plain(() => IOReturns.kIOReturnUnsupported | 0),
  GetProvider: plain((cxx, self: number) => cxx.addressOf(service(cxx, self).getProvider())),
  GetRegistryEntryID: status((cxx, self: number, id: number) => {
    cxx.memory.setU64(id, BigInt(service(cxx, self).getRegistryEntryID()));
    return undefined;
  }),
  SetName: status(
    (cxx, self: number, name: number) => void service(cxx, self).setName(cxx.memory.text(name, 127)),
  ),
  CopyName: status((cxx, self: number, name: number) => give(cxx, name, service(cxx, self).registryName)),
  /** The code's name; Apple's words for it are not documented (unknown). */
  StringFromReturn: status((cxx, _self: number, code: number, text: number) =>
    give(cxx, text, returnName((code >>> 0) as IOReturn)),
  ),
  RegisterService: status((cxx, self: number) => void service(cxx, self).registerService()),
  Terminate: status(
    (cxx, self: number, options: bigint) => void service(cxx, self).terminate(Number(options)),
  ),
  SetDispatchQueue: status((cxx, self: number, name: number, queue: number) => {
    const found = cxx.hostAs(queue, IODispatchQueue);
    if (found === null) return IOReturns.kIOReturnBadArgument;
    service(cxx, self).setDispatchQueue(cxx.memory.text(name, 255), found);
    return undefined;
  }),
  CopyDispatchQueue: status((cxx, self: number, name: number, queue: number) => {
    const found = service(cxx, self).copyDispatchQueue(cxx.memory.text(name, 255));
    cxx.memory.setU32(
      queue,
      cxx.handOut(found, "IODispatchQueue", () => found.release()),
    );
    return undefined;
  }),
  CreateDefaultDispatchQueue: status((cxx, self: number, queue: number) => {
    const made = IODispatchQueue.create(service(cxx, self).process, "Default");
    cxx.memory.setU32(
      queue,
      cxx.handOut(made, "IODispatchQueue", () => made.release()),
    );
    return undefined;
  }),
  CopyProperties: status((cxx, self: number, table: number) =>
    give(cxx, table, service(cxx, self).copyProperties()),
  ),
  SearchProperty: status(
    (cxx, self: number, name: number, _plane: number, options: bigint, property: number) =>
      give(cxx, property, service(cxx, self).searchProperty(cxx.memory.text(name, 127), Number(options))),
  ),
  SetProperties: status((cxx, self: number, table: number) => {
    const value = cxx.objectToValue(table);
    if (!isDictionary(value ?? undefined)) return IOReturns.kIOReturnBadArgument;
    service(cxx, self).setProperties(value as Properties);
    return undefined;
  }),
  RemoveProperty: status((cxx, self: number, name: number) => {
    const key = cxx.objectToValue(name);
    if (typeof key !== "string") return IOReturns.kIOReturnUnsupported;
    service(cxx, self).removeProperty(key);
    return undefined;
  }),
  CopyProviderProperties: status((cxx, self: number, keys: number, tables: number) => {
    const wanted = cxx.objectToValue(keys);
    const names = Array.isArray(wanted) ? (wanted as readonly string[]) : null;
    return give(cxx, tables, service(cxx, self).copyProviderProperties(names));
  }),
  JoinPMTree: status((cxx, self: number) => void service(cxx, self).joinPMTree()),
  ChangePowerState: status(
    (cxx, self: number, flags: number) => void service(cxx, self).changePowerState(flags >>> 0),
  ),
  SetPowerOverride: status(() => undefined),
  RequireMaxBusStall: status((_cxx, _self: number, stall: bigint) =>
    stall > 0xffffffffn ? IOReturns.kIOReturnBadArgument : undefined,
  ),
  AdjustBusy: status((cxx, self: number, delta: number) => void service(cxx, self).adjustBusy(delta)),
  GetBusyState: status(
    (cxx, self: number, state: number) => void cxx.memory.setU32(state, service(cxx, self).getBusyState()),
  ),
  Create: status((cxx, self: number, provider: number, key: number, result: number) => {
    const host = service(cxx, self);
    const made = host.create(service(cxx, provider), cxx.memory.text(key, 127));
    cxx.memory.setU32(result, cxx.handOutService(made));
    return undefined;
  }),
  CreatePropertyMatchingDictionary: plain((cxx, key: number, value: number, into: number) =>
    matching(cxx, cxx.memory.text(key), cxx.objectToValue(value), into),
  ),
  "CreatePropertyMatchingDictionary.2": plain((cxx, key: number, value: number, into: number) =>
    matching(cxx, cxx.memory.text(key), cxx.memory.text(value), into),
  ),
  CreateKernelClassMatchingDictionary: objectMatching("IOProviderClass"),
  "CreateKernelClassMatchingDictionary.2": stringMatching("IOProviderClass"),
  CreateUserClassMatchingDictionary: objectMatching("IOUserClass"),
  "CreateUserClassMatchingDictionary.2": stringMatching("IOUserClass"),
  CreateNameMatchingDictionary: objectMatching("IONameMatch"),
  "CreateNameMatchingDictionary.2": stringMatching("IONameMatch"),
});

/** The service behind what NewUserClient answered, whose reference goes to the system. */
export function takeUserClient(cxx: CxxProcess, address: number): IOUserClient | null {
  const client = cxx.hostAs(address, IOUserClient);
  if (address !== 0) cxx.release(address);
  return client;
}
