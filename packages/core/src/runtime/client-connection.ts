// An application's side of a user client: IOServiceOpen, IOConnectCallMethod, IOServiceClose.

import { TraceHash } from "../base/hash.ts";
import { type IOReturn, IOReturns, returnName } from "../base/io-return.ts";
import { hexBytes } from "../base/text.ts";
import { decideUserClientAccess } from "../platform/access.ts";
import { TimelineKind } from "../ports/recorder.ts";
import { IOError } from "./io-error.ts";
import type { MachineParts } from "./machine-parts.ts";
import { IOBufferMemoryDescriptor, kIOMemoryDirectionIn, kIOMemoryDirectionOut } from "./memory.ts";
import type { Process } from "./process.ts";
import type { IOService } from "./service.ts";
import { callService } from "./service-call.ts";
import type { Termination } from "./termination.ts";
import {
  IOUserClient,
  type IOUserClientMethodArguments,
  kIOUserClientScalarArrayCountMax,
} from "./user-client.ts";

/** Structures up to this size travel inside the message, larger ones as memory (driverkit-core.md §5.3). */
const inlineStructureBytes = 4096;

/** What an application passes to a method. Everything may be left out. */
export interface MethodCall {
  readonly scalarInput?: readonly number[];
  readonly structureInput?: Uint8Array;
  /** How many scalars the caller has room for. */
  readonly scalarOutputCount?: number;
  /** How many bytes of structure the caller has room for. */
  readonly structureOutputSize?: number;
  /** Makes the call asynchronous: told each time the driver completes. */
  readonly completion?: (status: IOReturn, asyncData: readonly number[]) => void;
}

export interface MethodResult {
  readonly status: IOReturn;
  readonly scalarOutput: readonly number[];
  readonly structureOutput: Uint8Array;
}

/** What an authority is asked before an application gets a user client (Endpoint Security's AUTH_IOKIT_OPEN; P07). */
export interface OpenEvent {
  readonly application: string;
  readonly clientClass: string;
  /** Of the service behind it: told from macOS 26 on, null before. */
  readonly parentRegistryId: number | null;
}

/** False refuses with kIOReturnNotPermitted. Called on the application's thread; must not block. */
export type OpenAuthority = (event: OpenEvent) => boolean;

/** Everything that opening a user client needs of the machine. */
export interface ClientDoor {
  readonly parts: MachineParts;
  readonly termination: Termination;
  /** Entitlements of the dext that hosts `process`, and its team. */
  bootArgDk: number;
  authority: OpenAuthority | null;
}

/**
 * IOServiceOpen, in the kernel's order (posts.md T1): NewUserClient of the dext, init and Start of its user client,
 * then the entitlement verdict; on refusal Stop and free follow. Runs on a thread of `application`. Rejects with
 * kIOReturnNotPermitted, kIOReturnUnsupported, or what the dext answered.
 */
export async function openUserClient(
  door: ClientDoor,
  application: Process,
  service: IOService,
  type: number,
): Promise<ClientConnection> {
  const { scheduler, latency, log, profile } = door.parts;
  /** The application gets the code; why, stands in the log. */
  const refuse = (code: IOReturn, detail: string, isSaid = false): IOError => {
    const error = new IOError(code, "IOServiceOpen", service.path, scheduler.nowNs(), detail);
    if (!isSaid) log.remark(`${application.name}: ${error.message}`, "error");
    scheduler.refuse(error);
    return error;
  };
  if (service.isInactive) throw refuse(IOReturns.kIOReturnNotAttached, "the service is gone");
  if (service.process.kind !== "dext")
    throw refuse(IOReturns.kIOReturnUnsupported, "not a driver extension's service");
  const entitlements = {
    ...application.entitlements,
    ...(application.isAdministrator ? { "com.apple.developer.driverkit.administrator": true } : {}),
    IOUserClientCreator: `pid ${application.pid}, ${application.name}`,
  };
  const made = await callService(scheduler, service, "NewUserClient", latency.between(2_000, 20_000), () =>
    service.newUserClient(type),
  );
  if (made.status !== IOReturns.kIOReturnSuccess)
    throw refuse(made.status, `NewUserClient refused${made.why === "" ? "" : `: ${made.why}`}`);
  const client: unknown = made.value;
  if (!(client instanceof IOUserClient) || client.kernelClass !== "IOUserUserClient") {
    throw refuse(
      IOReturns.kIOReturnUnsupported,
      "NewUserClient answered an object that is no IOUserUserClient",
    );
  }
  client.setClientEntitlements(entitlements);
  const started = await callService(scheduler, client, "Start", latency.between(2_000, 20_000), () =>
    client.start(service),
  );
  if (started.status !== IOReturns.kIOReturnSuccess) {
    door.termination.startFailed(client);
    throw refuse(
      started.status,
      `Start of the user client failed${started.why === "" ? "" : `: ${started.why}`}`,
    );
  }
  client.isStarted = true;
  const asked = {
    application: application.name,
    clientClass: client.className,
    parentRegistryId: profile.openEventsNameTheDevice ? service.registryId : null,
  };
  if (door.authority !== null && !door.authority(asked)) {
    door.termination.terminate(client);
    throw refuse(IOReturns.kIOReturnNotPermitted, "an authority refused the open");
  }
  const bundleProperty = service.properties.CFBundleIdentifier;
  const verdict = decideUserClientAccess({
    profile,
    dextEntitlements: service.process.entitlements,
    dextTeam: service.process.teamIdentifier,
    serviceBundleIdentifier: typeof bundleProperty === "string" ? bundleProperty : null,
    userClientClassName: client.className,
    userClientRegistryId: client.registryId,
    userClientDextEntitlements: client.properties.IOServiceDEXTEntitlements,
    clientEntitlements: entitlements,
    clientTeam: application.teamIdentifier,
    bootArgDk: door.bootArgDk,
  });
  for (const line of verdict.logLines) log.kernel(line);
  if (!verdict.allowed) {
    door.termination.terminate(client);
    throw refuse(verdict.result, verdict.reason, verdict.logLines.length > 0);
  }
  return new ClientConnection(door, application, client);
}

/** An open user client. Calls run on a thread of the application and block it. */
export class ClientConnection {
  readonly client: IOUserClient;
  readonly application: Process;
  readonly #door: ClientDoor;
  #open = true;

  constructor(door: ClientDoor, application: Process, client: IOUserClient) {
    this.#door = door;
    this.application = application;
    this.client = client;
  }

  get isOpen(): boolean {
    return this.#open && !this.client.isInactive;
  }

  /**
   * IOConnectCallMethod. The status is the driver's; besides: kIOReturnNotOpen when closed or gone,
   * kIOReturnBadArgument for more than 16 scalars or when the driver's structure is longer than the caller's room
   * (no data is copied then), MIG_SERVER_DIED when the driver dies meanwhile.
   */
  async call(selector: number, given: MethodCall = {}): Promise<MethodResult> {
    const { recorder } = this.#door.parts.scheduler;
    const result = await this.#call(selector, given);
    recorder?.record(TimelineKind.call, describeCall(this.application, this.client, selector, given, result));
    return result;
  }

  async #call(selector: number, given: MethodCall): Promise<MethodResult> {
    const { scheduler, latency } = this.#door.parts;
    const nothing = (status: IOReturn): MethodResult => ({
      status,
      scalarOutput: [],
      structureOutput: new Uint8Array(0),
    });
    if (!this.isOpen) return nothing(IOReturns.kIOReturnNotOpen);
    const scalarInput = given.scalarInput ?? [];
    const scalarOutputCount = given.scalarOutputCount ?? 0;
    if (
      scalarInput.length > kIOUserClientScalarArrayCountMax ||
      scalarOutputCount > kIOUserClientScalarArrayCountMax
    ) {
      return nothing(IOReturns.kIOReturnBadArgument);
    }
    const structureInput = given.structureInput ?? new Uint8Array(0);
    const room = given.structureOutputSize ?? 0;
    const largeInput = structureInput.length > inlineStructureBytes;
    const largeOutput = room > inlineStructureBytes;
    const outputDescriptor = largeOutput ? this.#memory(kIOMemoryDirectionIn, new Uint8Array(room)) : null;
    const { completion } = given;
    const methodArguments: IOUserClientMethodArguments = {
      selector,
      completion:
        completion === undefined
          ? null
          : { complete: (status, asyncData) => this.#notify(completion, status, asyncData.slice(0, 16)) },
      scalarInput,
      structureInput: largeInput || structureInput.length === 0 ? null : structureInput.slice(),
      structureInputDescriptor: largeInput ? this.#memory(kIOMemoryDirectionOut, structureInput) : null,
      scalarOutput: new Array<number>(scalarOutputCount).fill(0),
      structureOutput: null,
      structureOutputDescriptor: outputDescriptor,
      structureOutputMaximumSize: room,
    };
    const { client } = this;
    const { status, value } = await callService(
      scheduler,
      client,
      "externalMethod",
      latency.between(2_000, 20_000),
      () => client.externalMethod(selector, methodArguments),
    );
    const result = status === IOReturns.kIOReturnSuccess ? (value as IOReturn) : status;
    if (result !== IOReturns.kIOReturnSuccess) return nothing(result);
    if (outputDescriptor !== null) {
      if (methodArguments.structureOutput !== null) return nothing(IOReturns.kIOReturnBadArgument);
      return {
        status: result,
        scalarOutput: methodArguments.scalarOutput,
        structureOutput: outputDescriptor.bytes,
      };
    }
    const structureOutput = methodArguments.structureOutput ?? new Uint8Array(0);
    if (structureOutput.length > room) return nothing(IOReturns.kIOReturnBadArgument);
    return {
      status: result,
      scalarOutput: methodArguments.scalarOutput.slice(0, scalarOutputCount),
      structureOutput,
    };
  }

  /** IOServiceClose: the user client is terminated; its Stop follows. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#door.termination.terminate(this.client);
  }

  #notify(
    completion: (status: IOReturn, asyncData: readonly number[]) => void,
    status: IOReturn,
    asyncData: readonly number[],
  ): void {
    if (!this.isOpen || !this.application.isAlive) return;
    this.application.spawn("notification", () => completion(status, asyncData));
  }

  #memory(direction: number, contents: Uint8Array): IOBufferMemoryDescriptor {
    const { kernelProcess } = this.#door.parts;
    const made = IOBufferMemoryDescriptor.create(kernelProcess.memory, direction, contents.length, 0);
    const descriptor = made.value as IOBufferMemoryDescriptor;
    descriptor.bytes.set(contents);
    return descriptor;
  }
}

/** Bytes of a structure that a line shows. */
const shownBytes = 12;

/** "PadApp -> FtdiBridge method 2 (in 5) -> success, 62 bytes 01 60 ...": equal lines mean equal calls. */
function describeCall(
  application: Process,
  client: IOService,
  selector: number,
  { scalarInput = [], structureInput }: MethodCall,
  { scalarOutput, status, structureOutput }: MethodResult,
): string {
  const given = [
    ...scalarInput.map(String),
    ...(structureInput === undefined ? [] : [describeBytes(structureInput)]),
  ];
  const got = [
    ...scalarOutput.map(String),
    ...(structureOutput.length === 0 ? [] : [describeBytes(structureOutput)]),
  ];
  const ended = status === IOReturns.kIOReturnSuccess ? "success" : returnName(status);
  return `${application.name} -> ${client.className} method ${selector} (${given.join(", ")}) -> ${[ended, ...got].join(", ")}`;
}

function describeBytes(bytes: Uint8Array): string {
  const hash = new TraceHash();
  hash.bytes(bytes);
  const rest = bytes.length > shownBytes ? ` #${hash.digest().slice(8)}` : "";
  return `${bytes.length} bytes ${hexBytes(bytes, shownBytes)}${rest}`;
}
