// IOUserClient: calls of applications, in the structures of the C side.

import { type IOReturn, IOReturns } from "@drydock/core/base/io-return";
import { IOBufferMemoryDescriptor, IOMemoryDescriptor } from "@drydock/core/runtime/memory";
import {
  explainArgumentMismatch,
  IOUserClient,
  type IOUserClientMethodArguments,
  kIOUserClientCompletionDontCare,
} from "@drydock/core/runtime/user-client";
import type { CxxMethod } from "../class-records.ts";
import type { CxxProcess, HostCalls } from "../cxx-process.ts";
import { callsOf, plain, plainWaiting, status, statusWaiting } from "./host-call.ts";
import { flushMirror } from "./memory-calls.ts";
import { service } from "./service-calls.ts";

/** IOUserClientMethodArguments on wasm32: where its fields lie (driverkit-core.md §5.1), and its size. */
const place = {
  version: 0,
  selector: 8,
  completion: 16,
  scalarInput: 20,
  scalarInputCount: 24,
  structureInput: 28,
  structureInputDescriptor: 32,
  scalarOutput: 36,
  scalarOutputCount: 40,
  structureOutput: 44,
  structureOutputDescriptor: 48,
  structureOutputMaximumSize: 56,
} as const;
const argumentsBytes = 304;
const argumentsVersion = 2;
/** IOUserClientMethodDispatch: six words. */
const dispatchWords = [
  "function",
  "completion",
  "scalarInput",
  "structureInput",
  "scalarOutput",
  "structureOutput",
] as const;
const dontCare = 0xffffffff;

/** Arguments that are being handled, by the address of their structure: what the superclass's checks look at. */
const underWay = new WeakMap<CxxProcess, Map<number, IOUserClientMethodArguments>>();

/** Calls the dext's ExternalMethod with the arguments of an application's call. */
export async function externalMethod(
  cxx: CxxProcess,
  method: CxxMethod,
  client: IOUserClient,
  selector: number,
  given: IOUserClientMethodArguments,
): Promise<IOReturn> {
  const { memory } = cxx;
  const words = (values: readonly number[]): number => {
    const at = cxx.place(new Uint8Array(values.length * 8));
    for (const [index, value] of values.entries())
      memory.setU64(at + index * 8, BigInt.asUintN(64, BigInt(Math.trunc(value))));
    return at;
  };
  const input = words(given.scalarInput);
  const output = words(given.scalarOutput);
  const inputData = given.structureInput === null ? 0 : cxx.valueToObject(given.structureInput);
  const lend = (lent: IOMemoryDescriptor | null): number =>
    lent === null ? 0 : cxx.handOut(lent, "IOMemoryDescriptor");
  const inputMemory = lend(given.structureInputDescriptor);
  const outputMemory = lend(given.structureOutputDescriptor);
  const completion = given.completion === null ? 0 : cxx.handOut(given.completion, "OSAction");
  const at = cxx.place(new Uint8Array(argumentsBytes));
  memory.setU64(at + place.version, BigInt(argumentsVersion));
  memory.setU64(at + place.selector, BigInt(selector));
  memory.setU32(at + place.completion, completion);
  memory.setU32(at + place.scalarInput, input);
  memory.setU32(at + place.scalarInputCount, given.scalarInput.length);
  memory.setU32(at + place.structureInput, inputData);
  memory.setU32(at + place.structureInputDescriptor, inputMemory);
  memory.setU32(at + place.scalarOutput, output);
  memory.setU32(at + place.scalarOutputCount, given.scalarOutput.length);
  memory.setU32(at + place.structureOutputDescriptor, outputMemory);
  memory.setU64(at + place.structureOutputMaximumSize, BigInt(given.structureOutputMaximumSize));
  const calls = underWay.get(cxx) ?? new Map<number, IOUserClientMethodArguments>();
  underWay.set(cxx, calls);
  calls.set(at, given);
  try {
    const self = cxx.addressOf(client);
    const result = await cxx.run(method.thunk, self, BigInt(selector), at, 0, 0, 0);
    const count = Math.min(memory.u32(at + place.scalarOutputCount), given.scalarOutput.length);
    given.scalarOutput = Array.from({ length: count }, (_, index) => Number(memory.u64(output + index * 8)));
    const outputData = memory.u32(at + place.structureOutput);
    if (outputData !== 0) {
      const bytes = cxx.objectToValue(outputData);
      if (bytes instanceof Uint8Array) given.structureOutput = bytes;
      cxx.release(outputData);
    }
    if (given.structureOutputDescriptor !== null) flushMirror(cxx, given.structureOutputDescriptor);
    return (Number(result) >>> 0) as IOReturn;
  } finally {
    calls.delete(at);
    for (const object of [inputData, inputMemory, outputMemory, completion]) cxx.release(object);
    for (const each of [at, input, output]) cxx.unplace(each);
  }
}

export const userClientCalls: HostCalls = callsOf("IOUserClient", {
  ExternalMethod: plainWaiting(
    async (
      cxx,
      self: number,
      selector: bigint,
      argumentsAt: number,
      dispatch: number,
      target: number,
      reference: number,
    ) => {
      const given = underWay.get(cxx)?.get(argumentsAt);
      if (dispatch === 0 || given === undefined) return IOReturns.kIOReturnUnsupported | 0;
      const row = Object.fromEntries(
        dispatchWords.map((name, index) => [name, cxx.memory.u32(dispatch + index * 4)]),
      ) as Record<(typeof dispatchWords)[number], number>;
      const mismatch = explainArgumentMismatch(given, {
        function: null,
        checkCompletionExists:
          row.completion === dontCare ? kIOUserClientCompletionDontCare : row.completion !== 0,
        checkScalarInputCount: row.scalarInput,
        checkStructureInputSize: row.structureInput,
        checkScalarOutputCount: row.scalarOutput,
        checkStructureOutputSize: row.structureOutput,
      });
      if (mismatch !== null) {
        const { logName } = service(cxx, self);
        cxx.kernel.note(`${logName}: ExternalMethod ${selector} refused: ${mismatch}`);
        return IOReturns.kIOReturnBadArgument | 0;
      }
      if (row.function === 0) return IOReturns.kIOReturnNoCompletion | 0;
      return await cxx.run(row.function, target === 0 ? self : target, reference, argumentsAt);
    },
  ),
  AsyncCompletion: plain((cxx, _self: number, action: number, code: number, data: number, count: number) => {
    const reply = cxx.hostOf(action) as {
      complete?: (code: IOReturn, values: readonly number[]) => void;
    } | null;
    const values = Array.from({ length: Math.min(count, 16) }, (_, index) =>
      Number(cxx.memory.u64(data + index * 8)),
    );
    if (typeof reply?.complete === "function") reply.complete((code >>> 0) as IOReturn, values);
    else cxx.kernel.note("AsyncCompletion with an action that is no completion of an application's call");
    return undefined;
  }),
  CopyClientMemoryForType: statusWaiting(async () => IOReturns.kIOReturnUnsupported),
  CopyClientEntitlements: status((cxx, self: number, table: number) => {
    const client = service(cxx, self);
    if (!(client instanceof IOUserClient)) return IOReturns.kIOReturnUnsupported;
    cxx.memory.setU32(table, cxx.valueToObject(client.copyClientEntitlements()));
    return undefined;
  }),
});

/** The memory that a dext answers for a type: what it hands over is the system's from here. */
export async function clientMemory(
  cxx: CxxProcess,
  method: CxxMethod,
  client: IOUserClient,
  type: number,
): Promise<IOMemoryDescriptor> {
  const at = cxx.place(new Uint8Array(16));
  try {
    await cxx.runStatus(
      client,
      method.thunk,
      "IOUserClient.copyClientMemoryForType",
      cxx.addressOf(client),
      BigInt(type),
      at,
      at + 8,
    );
    const address = cxx.memory.u32(at + 8);
    const memory = cxx.hostAs(address, IOMemoryDescriptor) ?? cxx.hostAs(address, IOBufferMemoryDescriptor);
    if (memory === null)
      throw client.failure(
        IOReturns.kIOReturnNoMemory,
        "IOUserClient.copyClientMemoryForType",
        "no memory was answered",
      );
    return memory;
  } finally {
    cxx.unplace(at);
  }
}
