// Messages of iAP2's control session and their parameters, as public observation has them.

import { getU16be, putU16be } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";
import { decodeUtf8, encodeUtf8 } from "../../base/text.ts";

export const Iap2Message = {
  requestCertificate: 0xaa00,
  certificate: 0xaa01,
  requestChallengeResponse: 0xaa02,
  challengeResponse: 0xaa03,
  authenticationFailed: 0xaa04,
  authenticationSucceeded: 0xaa05,
  startIdentification: 0x1d00,
  identification: 0x1d01,
  identificationAccepted: 0x1d02,
  identificationRejected: 0x1d03,
  startProtocolSession: 0xea00,
  stopProtocolSession: 0xea01,
  statusProtocolSession: 0xea03,
} as const;

export interface Iap2Parameter {
  readonly id: number;
  readonly value: Uint8Array;
}

export interface Iap2ControlMessage {
  readonly message: number;
  readonly parameters: readonly Iap2Parameter[];
}

const headerBytes = 6;

export function encodeParameters(parameters: readonly Iap2Parameter[]): Uint8Array {
  const bytes = new Uint8Array(parameters.reduce((sum, { value }) => sum + 4 + value.length, 0));
  let at = 0;
  for (const { id, value } of parameters) {
    putU16be(bytes, at, 4 + value.length);
    putU16be(bytes, at + 2, id);
    bytes.set(value, at + 4);
    at += 4 + value.length;
  }
  return bytes;
}

/** Throws DecodeError for a parameter that runs past the end. Unknown ids stay in the list. */
export function decodeParameters(bytes: Uint8Array): Iap2Parameter[] {
  const parameters: Iap2Parameter[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = at + 4 <= bytes.length ? getU16be(bytes, at) : 0;
    if (length < 4 || at + length > bytes.length)
      throw new DecodeError("iAP2 parameters", at, "a parameter runs past the end");
    parameters.push({ id: getU16be(bytes, at + 2), value: bytes.slice(at + 4, at + length) });
    at += length;
  }
  return parameters;
}

/** Throws RangeError for more than a length field can say. */
export function encodeControlMessage({ message, parameters }: Iap2ControlMessage): Uint8Array {
  const body = encodeParameters(parameters);
  const length = headerBytes + body.length;
  if (length > 0xffff) throw new RangeError(`a message of ${length} bytes is too long`);
  const bytes = new Uint8Array(length);
  bytes.set([0x40, 0x40]);
  putU16be(bytes, 2, length);
  putU16be(bytes, 4, message);
  bytes.set(body, headerBytes);
  return bytes;
}

/** One message, which fills `bytes`. Throws DecodeError. */
export function decodeControlMessage(bytes: Uint8Array): Iap2ControlMessage {
  const what = "iAP2 control message";
  if (bytes.length < headerBytes) throw new DecodeError(what, bytes.length, `needs ${headerBytes} bytes`);
  if (bytes[0] !== 0x40 || bytes[1] !== 0x40) throw new DecodeError(what, 0, "does not begin with 40 40");
  if (getU16be(bytes, 2) !== bytes.length)
    throw new DecodeError(what, 2, "its length is not that of the packet");
  return { message: getU16be(bytes, 4), parameters: decodeParameters(bytes.subarray(headerBytes)) };
}

export const textParameter = (id: number, text: string): Iap2Parameter => ({
  id,
  value: encodeUtf8(`${text}\0`),
});
export const numberParameter = (id: number, value: number, bytes: 1 | 2): Iap2Parameter => ({
  id,
  value: bytes === 1 ? Uint8Array.of(value) : Uint8Array.of(value >> 8, value & 0xff),
});

/** Text without its NUL; null when it is absent or not UTF-8 with an end. */
export function textOf(parameters: readonly Iap2Parameter[], id: number): string | null {
  const value = parameters.find((parameter) => parameter.id === id)?.value;
  if (value === undefined || value.at(-1) !== 0) return null;
  const text = decodeUtf8(value.subarray(0, -1));
  return text.includes("\ufffd") || text.includes("\0") ? null : text;
}

/** A number of one or two bytes; null when it is absent or has another length. */
export function numberOf(parameters: readonly Iap2Parameter[], id: number): number | null {
  const value = parameters.find((parameter) => parameter.id === id)?.value;
  if (value?.length === 1) return value[0];
  return value?.length === 2 ? getU16be(value, 0) : null;
}

/** What an app may be offered for a protocol: nothing, a prompt and the settings, the settings alone. */
export const Iap2MatchAction = { none: 0, settingsAndPrompt: 1, settingsOnly: 2 } as const;

export interface Iap2Protocol {
  /** 1 to 255, the accessory's own numbering. */
  readonly id: number;
  /** Reverse DNS; compared letter by letter. */
  readonly name: string;
  readonly matchAction: number;
  /** Id of the transport component that carries it alone (EA native transport); absent: the link does. */
  readonly nativeTransport?: number;
}

/** IdentificationInformation, as far as a wired accessory with protocols needs it. */
export interface Iap2Identification {
  readonly name: string;
  readonly modelNumber: string;
  readonly manufacturer: string;
  readonly serialNumber: string;
  readonly firmwareRevision: string;
  readonly hardwareRevision: string;
  readonly maximumCurrentMa: number;
  readonly protocols: readonly Iap2Protocol[];
}

const texts = [
  "name",
  "modelNumber",
  "manufacturer",
  "serialNumber",
  "firmwareRevision",
  "hardwareRevision",
] as const;
const powerParameter = 8;
const currentParameter = 9;
const protocolParameter = 10;

export function encodeIdentification(data: Iap2Identification): Iap2ControlMessage {
  return {
    message: Iap2Message.identification,
    parameters: [
      ...texts.map((name, id) => textParameter(id, data[name])),
      numberParameter(powerParameter, 0, 1),
      numberParameter(currentParameter, data.maximumCurrentMa, 2),
      ...data.protocols.map(({ id, matchAction, name, nativeTransport }) => ({
        id: protocolParameter,
        value: encodeParameters([
          numberParameter(0, id, 1),
          textParameter(1, name),
          numberParameter(2, matchAction, 1),
          ...(nativeTransport === undefined ? [] : [numberParameter(3, nativeTransport, 2)]),
        ]),
      })),
    ],
  };
}

/** The identification, or the ids of the parameters that are absent or wrong, as IdentificationRejected lists them. */
export function judgeIdentification(
  parameters: readonly Iap2Parameter[],
): Iap2Identification | { readonly offending: readonly number[] } {
  const offending = new Set<number>();
  const text = (id: number): string => {
    const value = textOf(parameters, id);
    if (value === null || (id === 0 && value === "")) offending.add(id);
    return value ?? "";
  };
  const [name, modelNumber, manufacturer, serialNumber, firmwareRevision, hardwareRevision] = texts.map(
    (_, id) => text(id),
  );
  const maximumCurrentMa = numberOf(parameters, currentParameter);
  if (maximumCurrentMa === null) offending.add(currentParameter);
  const protocols: Iap2Protocol[] = [];
  for (const { value } of parameters.filter(({ id }) => id === protocolParameter))
    for (const protocol of readProtocols(value)) {
      if (
        protocol === null ||
        protocols.some(({ id, name: other }) => id === protocol.id || other === protocol.name)
      )
        offending.add(protocolParameter);
      else protocols.push(protocol);
    }
  if (offending.size > 0) return { offending: [...offending].sort((left, right) => left - right) };
  return {
    name,
    modelNumber,
    manufacturer,
    serialNumber,
    firmwareRevision,
    hardwareRevision,
    maximumCurrentMa: maximumCurrentMa ?? 0,
    protocols,
  };
}

/**
 * The protocols of one parameter: one, or several that stand behind each other, each from its number on. Whoever writes a list
 * either way is understood (accessory.md §6: which is right is unknown). Null for one that is none.
 */
function readProtocols(value: Uint8Array): readonly (Iap2Protocol | null)[] {
  let parts: readonly Iap2Parameter[];
  try {
    parts = decodeParameters(value);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return [null];
  }
  const groups: Iap2Parameter[][] = [];
  for (const part of parts)
    if (part.id === 0 || groups.length === 0) groups.push([part]);
    else groups[groups.length - 1].push(part);
  return groups.length === 0 ? [null] : groups.map(protocolOf);
}

function protocolOf(parts: readonly Iap2Parameter[]): Iap2Protocol | null {
  const [id, name, matchAction] = [numberOf(parts, 0), textOf(parts, 1), numberOf(parts, 2)];
  if (id === null || id === 0 || name === null || name === "" || (matchAction ?? 0) > 2) return null;
  const nativeTransport = numberOf(parts, 3);
  return {
    id,
    name,
    matchAction: matchAction ?? 0,
    ...(nativeTransport === null ? {} : { nativeTransport }),
  };
}
