// IOUserClient: how an application calls a driver, with the argument checks of ExternalMethod.

import { type IOReturn, IOReturns } from "../base/io-return.ts";
import type { Properties } from "../platform/properties.ts";
import type { IOMemoryDescriptor } from "./memory.ts";
import { IOService } from "./service.ts";

export const kIOUserClientScalarArrayCountMax = 16;
export const kIOUserClientVariableStructureSize = 0xffffffff;
/** QUEUENAME of ExternalMethod. */
export const kIOUserClientQueueNameExternalMethod = "IOUserClientQueueExternalMethod";
/** "Don't care" for checkCompletionExists: -1U. */
export const kIOUserClientCompletionDontCare = 0xffffffff;

/** Where an asynchronous call is finished; may be used more than once (AsyncCompletion). */
export interface AsyncReply {
  complete(status: IOReturn, asyncData: readonly number[]): void;
}

/**
 * Arguments of one call. Structures up to 4096 bytes come as bytes, larger ones as a descriptor (never both); the
 * driver answers into `scalarOutput` and `structureOutput`, or into `structureOutputDescriptor` when one was given.
 */
export interface IOUserClientMethodArguments {
  readonly selector: number;
  readonly completion: AsyncReply | null;
  readonly scalarInput: readonly number[];
  readonly structureInput: Uint8Array | null;
  readonly structureInputDescriptor: IOMemoryDescriptor | null;
  /** As many as the caller offered; the driver may shorten it. */
  scalarOutput: number[];
  structureOutput: Uint8Array | null;
  readonly structureOutputDescriptor: IOMemoryDescriptor | null;
  /** What the caller offered, or kIOUserClientVariableStructureSize. */
  readonly structureOutputMaximumSize: number;
}

export type IOUserClientMethodFunction = (
  target: unknown,
  reference: unknown,
  methodArguments: IOUserClientMethodArguments,
) => IOReturn | Promise<IOReturn>;

/** One row of a dispatch table. Counts are exact, or kIOUserClientVariableStructureSize for "don't care". */
export interface IOUserClientMethodDispatch {
  readonly function: IOUserClientMethodFunction | null;
  /** true: required; false: must be absent; kIOUserClientCompletionDontCare. */
  readonly checkCompletionExists: boolean | typeof kIOUserClientCompletionDontCare;
  readonly checkScalarInputCount: number;
  readonly checkStructureInputSize: number;
  readonly checkScalarOutputCount: number;
  readonly checkStructureOutputSize: number;
}

/** Why `dispatch` does not accept `given`, or null. For the check itself and for people. */
export function explainArgumentMismatch(
  given: IOUserClientMethodArguments,
  dispatch: IOUserClientMethodDispatch,
): string | null {
  const any = kIOUserClientVariableStructureSize;
  if (dispatch.checkCompletionExists !== kIOUserClientCompletionDontCare) {
    if (dispatch.checkCompletionExists !== (given.completion !== null)) {
      return dispatch.checkCompletionExists
        ? "the method needs an async completion, the call has none"
        : "the method takes no async completion, the call has one";
    }
  }
  const structureInputSize = given.structureInput?.length ?? given.structureInputDescriptor?.length ?? 0;
  const rows: [string, number, number][] = [
    ["scalar input count", dispatch.checkScalarInputCount, given.scalarInput.length],
    ["structure input size", dispatch.checkStructureInputSize, structureInputSize],
    ["scalar output count", dispatch.checkScalarOutputCount, given.scalarOutput.length],
    ["structure output size", dispatch.checkStructureOutputSize, given.structureOutputMaximumSize],
  ];
  for (const [what, wanted, found] of rows) {
    if (wanted !== any && wanted !== found) return `${what} must be ${wanted}, the call gives ${found}`;
  }
  return null;
}

/**
 * Base of a driver's user client. The driver's `newUserClient` makes one with `create(this, "UserClientProperties")`;
 * the kernel then starts it, and only then decides whether the application may have it (posts.md T1).
 */
export class IOUserClient extends IOService {
  static override readonly queueNames = { externalMethod: kIOUserClientQueueNameExternalMethod };
  #clientEntitlements: Properties = {};

  /** The kernel's side: whose client this is. */
  setClientEntitlements(entitlements: Properties): void {
    this.#clientEntitlements = entitlements;
  }

  /** The application's entitlements, with the administrator mark and the creator's name that the kernel adds. */
  copyClientEntitlements(): Properties {
    return { ...this.#clientEntitlements };
  }

  /**
   * A call from the application, on the queue named IOUserClientQueueExternalMethod if set, else the default queue.
   * A driver overrides it and calls super with its table's row: kIOReturnBadArgument when a check fails,
   * kIOReturnNoCompletion when the row has no function ("handle it yourself"), kIOReturnUnsupported without a row.
   */
  async externalMethod(
    selector: number,
    methodArguments: IOUserClientMethodArguments,
    dispatch: IOUserClientMethodDispatch | null = null,
    target: unknown = null,
    reference: unknown = null,
  ): Promise<IOReturn> {
    if (dispatch === null) return IOReturns.kIOReturnUnsupported;
    const mismatch = explainArgumentMismatch(methodArguments, dispatch);
    if (mismatch !== null) {
      this.kernel.note(`${this.logName}: ExternalMethod ${selector} refused: ${mismatch}`);
      return IOReturns.kIOReturnBadArgument;
    }
    if (dispatch.function === null) return IOReturns.kIOReturnNoCompletion;
    return await dispatch.function(target ?? this, reference, methodArguments);
  }

  /**
   * Memory the application asks to map; the default offers none (kIOReturnUnsupported). The same type should always
   * answer the same object.
   */
  async copyClientMemoryForType(_type: number): Promise<IOMemoryDescriptor> {
    throw this.failure(IOReturns.kIOReturnUnsupported, "IOUserClient.copyClientMemoryForType");
  }
}
