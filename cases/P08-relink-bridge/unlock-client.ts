// P08: how an app reaches the dext on the drive: the user client with its table of methods, and the app's side of it.

import { IOReturns } from "@drydock/core/base/io-return";
import {
  type BridgeState,
  bridgeStateBytes,
  decodeBridgeState,
} from "@drydock/core/codec/mass-storage/relink-bridge";
import type { ClientConnection } from "@drydock/core/runtime/client-connection";
import { IODispatchQueue } from "@drydock/core/runtime/dispatch-queue";
import { IOError } from "@drydock/core/runtime/io-error";
import type { IOService } from "@drydock/core/runtime/service";
import {
  IOUserClient,
  type IOUserClientMethodArguments,
  type IOUserClientMethodDispatch,
  kIOUserClientQueueNameExternalMethod,
} from "@drydock/core/runtime/user-client";
import {
  type CommandEnd,
  type CommandParts,
  commandEnd,
  failedCommand,
  senseBytes,
  unlockCodeBytes,
} from "./command-end.ts";

/** Selectors of ExternalMethod. */
const Selector = {
  suspend: 0,
  resume: 1,
  resetDevice: 2,
  unlock: 3,
  relink: 4,
  testUnitReady: 5,
  query: 6,
} as const;

/** What the user client calls of its driver. */
export interface UnlockMethods {
  userSuspendServices(): Promise<void>;
  userResumeServices(): Promise<void>;
  userResetDevice(): Promise<void>;
  unlock(code: Uint8Array, timeoutMs: number): Promise<CommandParts>;
  relink(timeoutMs: number): Promise<CommandParts>;
  testUnitReady(timeoutMs: number): Promise<CommandParts>;
  query(timeoutMs: number): Promise<CommandParts>;
}

const control = (act: (driver: UnlockMethods) => Promise<void>): IOUserClientMethodDispatch => ({
  function: async (target) => {
    try {
      await act(target as UnlockMethods);
      return IOReturns.kIOReturnSuccess;
    } catch (error) {
      if (error instanceof IOError) return error.code;
      throw error;
    }
  },
  checkCompletionExists: false,
  checkScalarInputCount: 0,
  checkStructureInputSize: 0,
  checkScalarOutputCount: 0,
  checkStructureOutputSize: 0,
});

/** In: the time in milliseconds. Out: code, whether a status came, whether it is GOOD, bytes of sense; the sense, then the data. */
const command = (
  act: (driver: UnlockMethods, timeoutMs: number, input: Uint8Array) => Promise<CommandParts>,
  inputBytes: number,
  dataBytes: number,
): IOUserClientMethodDispatch => ({
  function: async (target, _reference, given) => {
    const parts = await act(
      target as UnlockMethods,
      given.scalarInput[0],
      given.structureInput ?? new Uint8Array(0),
    );
    given.scalarOutput = [parts.code, Number(parts.isComplete), Number(parts.isGood), parts.sense.length];
    const bytes = new Uint8Array(senseBytes + dataBytes);
    bytes.set(parts.sense.subarray(0, senseBytes), 0);
    bytes.set(parts.data.subarray(0, dataBytes), senseBytes);
    given.structureOutput = bytes;
    return IOReturns.kIOReturnSuccess;
  },
  checkCompletionExists: false,
  checkScalarInputCount: 1,
  checkStructureInputSize: inputBytes,
  checkScalarOutputCount: 4,
  checkStructureOutputSize: senseBytes + dataBytes,
});

const methods: Readonly<Record<number, IOUserClientMethodDispatch>> = {
  [Selector.suspend]: control((driver) => driver.userSuspendServices()),
  [Selector.resume]: control((driver) => driver.userResumeServices()),
  [Selector.resetDevice]: control((driver) => driver.userResetDevice()),
  [Selector.unlock]: command((driver, timeoutMs, code) => driver.unlock(code, timeoutMs), unlockCodeBytes, 0),
  [Selector.relink]: command((driver, timeoutMs) => driver.relink(timeoutMs), 0, 0),
  [Selector.testUnitReady]: command((driver, timeoutMs) => driver.testUnitReady(timeoutMs), 0, 0),
  [Selector.query]: command((driver, timeoutMs) => driver.query(timeoutMs), 0, bridgeStateBytes),
};

export class UnlockUserClient extends IOUserClient {
  #driver: UnlockMethods | null = null;

  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    this.#driver = provider as unknown as UnlockMethods;
    // A command takes as long as the drive does: on a queue of its own it keeps neither Stop nor other apps waiting.
    this.setDispatchQueue(
      kIOUserClientQueueNameExternalMethod,
      IODispatchQueue.create(this.process, kIOUserClientQueueNameExternalMethod),
    );
  }

  override externalMethod(selector: number, given: IOUserClientMethodArguments): Promise<number> {
    return super.externalMethod(selector, given, methods[selector] ?? null, this.#driver);
  }
}

/** An app's open user client of the drive that was there when it was opened. */
export class UnlockConnection {
  readonly #connection: ClientConnection;

  constructor(connection: ClientConnection) {
    this.#connection = connection;
  }

  /** The drive, and its dext with it, has left. */
  get isGone(): boolean {
    return !this.#connection.isOpen;
  }

  suspendServices(): Promise<void> {
    return this.#control(Selector.suspend);
  }

  resumeServices(): Promise<void> {
    return this.#control(Selector.resume);
  }

  resetDevice(): Promise<void> {
    return this.#control(Selector.resetDevice);
  }

  unlock(code: Uint8Array, timeoutMs: number): Promise<CommandEnd> {
    return this.#command(Selector.unlock, timeoutMs, code);
  }

  relink(timeoutMs: number): Promise<CommandEnd> {
    return this.#command(Selector.relink, timeoutMs);
  }

  testUnitReady(timeoutMs: number): Promise<CommandEnd> {
    return this.#command(Selector.testUnitReady, timeoutMs);
  }

  /** The bridge's own word on the lock; a command end where it gives none. */
  async query(timeoutMs: number): Promise<BridgeState | CommandEnd> {
    const end = await this.#command(Selector.query, timeoutMs, undefined, bridgeStateBytes);
    return end.isGood ? decodeBridgeState(end.data) : end;
  }

  /** Of a drive that is gone nothing can be asked any more; the app goes on with what comes next. */
  async #control(selector: number): Promise<void> {
    await this.#connection.call(selector);
  }

  async #command(
    selector: number,
    timeoutMs: number,
    structureInput?: Uint8Array,
    dataBytes = 0,
  ): Promise<CommandEnd> {
    const { scalarOutput, status, structureOutput } = await this.#connection.call(selector, {
      scalarInput: [timeoutMs],
      scalarOutputCount: 4,
      structureOutputSize: senseBytes + dataBytes,
      ...(structureInput === undefined ? {} : { structureInput }),
    });
    if (status !== IOReturns.kIOReturnSuccess)
      return commandEnd(failedCommand(this.isGone ? IOReturns.kIOReturnNoDevice : status));
    const [code, isComplete, isGood, senseLength] = scalarOutput;
    return commandEnd({
      code,
      isComplete: isComplete === 1,
      isGood: isGood === 1,
      sense: structureOutput.slice(0, senseLength),
      data: structureOutput.slice(senseBytes),
    });
  }
}
