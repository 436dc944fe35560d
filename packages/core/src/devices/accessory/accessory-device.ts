// An accessory with protocols, as a phone or tablet finds it on USB: the "iAP Interface" and what speaks behind it.

import type { Clock } from "../../base/clock.ts";
import { encodeUtf8 } from "../../base/text.ts";
import {
  encodeIdentification,
  type Iap2ControlMessage,
  type Iap2Identification,
  Iap2MatchAction,
  Iap2Message,
  type Iap2Protocol,
  numberOf,
  numberParameter,
} from "../../codec/iap2/control-message.ts";
import { ControlBacklog, ControlReader } from "../../codec/iap2/control-stream.ts";
import { Iap2Link } from "../../codec/iap2/iap2-link.ts";
import { type Iap2LinkParameters, Iap2SessionType } from "../../codec/iap2/link-packet.ts";
import { readSessionData, SessionBacklog, sessionNumberBytes } from "../../codec/iap2/session-data.ts";
import { encodeConfiguration, TransferType } from "../../codec/usb/descriptors.ts";
import { UsbSpeed } from "../../codec/usb/usb-speed.ts";
import { UsbNak } from "../../ports/usb-device.ts";
import { UsbDeviceModel } from "../usb-device-model.ts";

/** What the stand-in for the coprocessor does; the real one is licensed and is not here, see the README. */
export type StandInAuthentication = "accepted" | "rejected" | "silent";

export interface AccessoryOptions {
  readonly clock: Clock;
  /** Default: two protocols, org.drydock.control and org.drydock.echo. */
  readonly identification?: Partial<Iap2Identification>;
  /** Default `accepted`. */
  readonly authentication?: StandInAuthentication;
  /** Bytes of application data in one packet to the phone. Default: as many as fit. */
  readonly segmentBytes?: number;
  /** What the accessory proposes for its link. */
  readonly link?: Partial<Omit<Iap2LinkParameters, "sessions">>;
  /** The application behind the protocols. Default: every byte comes back. */
  readonly application?: AccessoryApplication;
}

/** What a protocol of the accessory does. Called from inside the device; `send` may be used at once. */
export interface AccessoryApplication {
  opened?(protocol: string): void;
  /** Bytes of the app's stream, valid during the call. */
  received(protocol: string, bytes: Uint8Array, send: (bytes: Uint8Array) => void): void;
  closed?(protocol: string): void;
}

export const accessoryProtocols: readonly Iap2Protocol[] = [
  { id: 1, name: "org.drydock.control", matchAction: Iap2MatchAction.settingsAndPrompt },
  { id: 2, name: "org.drydock.echo", matchAction: Iap2MatchAction.none },
];

/** class FF, subclass F0, protocol 00, one bulk pair. */
export const iapInterface = {
  bInterfaceClass: 0xff,
  bInterfaceSubClass: 0xf0,
  bInterfaceProtocol: 0,
} as const;
/** Of EA native transport: protocol 01, one interface for each protocol that has itself carried so (likely). */
const nativeProtocol = 1;
const bulkIn = 0x81;
const bulkOut = 0x01;
const endpointsOf = (number: number) =>
  [0x80 | number, number].map((bEndpointAddress) => ({
    bEndpointAddress,
    bmAttributes: TransferType.bulk,
    wMaxPacketSize: packetBytes,
    bInterval: 0,
  }));
const fixedStrings = 4;
const packetBytes = 64;
const controlSession = 10;
const dataSession = 11;
/** Every accessory of the bench says in its certificate that it is none. */
const certificate = encodeUtf8("DRYDOCK-NO-MFI-CERTIFICATE");
const responses: Readonly<Record<"accepted" | "rejected", Uint8Array>> = {
  accepted: encodeUtf8("DRYDOCK-STAND-IN-ACCEPT"),
  rejected: encodeUtf8("DRYDOCK-STAND-IN-REJECT"),
};

const defaultIdentification: Iap2Identification = {
  name: "Drydock Gauge",
  modelNumber: "DG-1",
  manufacturer: "Drydock",
  serialNumber: "0001",
  firmwareRevision: "1.0.0",
  hardwareRevision: "A",
  maximumCurrentMa: 100,
  protocols: accessoryProtocols,
};

/** EA03's words for a session. */
const statusOk = 0;
const statusClose = 1;

const echo: AccessoryApplication = {
  received: (_protocol, bytes, send) => send(bytes.slice()),
};

/**
 * Answers what a phone asks: authentication by a marked stand-in, identification, sessions of protocols. A packet that
 * makes no sense is left out, as a session of an unknown protocol is; the link's own rules end the link.
 */
export class AccessoryDevice extends UsbDeviceModel {
  readonly identification: Iap2Identification;
  /** Bytes of application data that came and went since the cable was put in. */
  receivedBytes = 0;
  sentBytes = 0;
  /** Told after each byte of either way is over the wire: where a test pulls the cable. */
  onDataByte: ((total: number) => void) | null = null;
  /** What went wrong on the link, in order; empty on a good day. */
  readonly problems: string[] = [];
  readonly #options: AccessoryOptions;
  readonly #application: AccessoryApplication;
  #link: Iap2Link | null = null;
  /** Link packets for the phone. */
  readonly #outgoing = new TransferQueue();
  /** By interface number: protocols that have an interface, and what waits for the phone there. */
  readonly #native: readonly { readonly protocol: string; readonly outgoing: TransferQueue }[];
  readonly #openNative = new Set<number>();
  readonly #reader = new ControlReader();
  readonly #control = new ControlBacklog();
  #isHolding = false;
  /** EA session id by the phone's numbering. */
  readonly #sessions = new Map<number, string>();
  readonly #backlog: SessionBacklog = new SessionBacklog((_session, count) => {
    this.sentBytes += count;
    this.#tellBytes(count);
  });

  constructor(options: AccessoryOptions) {
    const identification = { ...defaultIdentification, ...options.identification };
    const native = identification.protocols.filter(({ nativeTransport }) => nativeTransport !== undefined);
    super({
      speed: UsbSpeed.full,
      device: {
        bcdUSB: 0x0200,
        bDeviceClass: 0,
        bDeviceSubClass: 0,
        bDeviceProtocol: 0,
        bMaxPacketSize0: 64,
        idVendor: 0x1209,
        idProduct: 0x0007,
        bcdDevice: 0x0100,
        iManufacturer: 1,
        iProduct: 2,
        iSerialNumber: 3,
        bNumConfigurations: 1,
      },
      configurations: [
        encodeConfiguration(
          { bConfigurationValue: 1, iConfiguration: 0, bmAttributes: 0xc0, bMaxPower: 50 },
          [
            {
              bInterfaceNumber: 0,
              ...iapInterface,
              iInterface: fixedStrings,
              endpoints: endpointsOf(1),
            },
            ...native.flatMap((_protocol, index) =>
              [0, 1].map((bAlternateSetting) => ({
                ...iapInterface,
                bInterfaceProtocol: nativeProtocol,
                bInterfaceNumber: index + 1,
                bAlternateSetting,
                iInterface: fixedStrings + 1 + index,
                endpoints: bAlternateSetting === 0 ? [] : endpointsOf(index + 2),
              })),
            ),
          ],
        ),
      ],
      strings: ["Drydock", "Gauge", "0001", "iAP Interface", ...native.map(({ name }) => name)],
    });
    this.#options = options;
    this.#application = options.application ?? echo;
    this.identification = identification;
    this.#native = native.map(({ name }) => ({ protocol: name, outgoing: new TransferQueue() }));
  }

  /** The accessory takes nothing more from the phone until `releaseSpace`: its buffers are full. */
  holdSpace(): void {
    this.#isHolding = true;
  }

  releaseSpace(): void {
    this.#isHolding = false;
    this.ready(bulkOut);
    for (const index of this.#native.keys()) this.ready(index + 2);
  }

  /** The accessory ends the sessions of a protocol: the app's streams end. */
  endSession(protocol: string): void {
    for (const [session, name] of this.#sessions) {
      if (name !== protocol) continue;
      this.#sessions.delete(session);
      this.#backlog.forget(session);
      this.#tellStatus(session, statusClose);
    }
  }

  protected override powerOn(): void {
    this.#link?.close();
    this.#link = null;
    this.#outgoing.clear();
    this.#reader.clear();
    this.#control.clear();
    this.#backlog.clear();
    this.#openNative.clear();
    for (const { outgoing } of this.#native) outgoing.clear();
    this.#isHolding = false;
    this.#sessions.clear();
    this.receivedBytes = 0;
    this.sentBytes = 0;
  }

  protected override settingBegan(interfaceNumber: number, alternate: number): void {
    if (interfaceNumber > 0) {
      this.#settingOfNative(interfaceNumber, alternate);
      return;
    }
    this.#link?.close();
    const link: Iap2Link = new Iap2Link(
      {
        clock: this.#options.clock,
        role: "accessory",
        firstSequence: 99,
        parameters: {
          maximumOutstanding: 4,
          maximumPacketBytes: 2048,
          retransmissionTimeoutMs: 1000,
          acknowledgeTimeoutMs: 20,
          maximumRetransmissions: 30,
          maximumCumulativeAcknowledges: 3,
          ...this.#options.link,
          sessions: [
            { id: controlSession, type: Iap2SessionType.control, version: 1 },
            { id: dataSession, type: Iap2SessionType.externalAccessory, version: 1 },
          ],
        },
      },
      {
        send: (bytes) => {
          this.#outgoing.push(bytes);
          this.ready(bulkIn);
        },
        established: () => {},
        received: (session, payload) => this.#received(session, payload),
        writable: () => this.#push(),
        dead: (reason) => this.problems.push(reason),
      },
    );
    this.#link = link;
    link.start();
  }

  protected override answerRequest(): null {
    return null;
  }

  protected override performRequest(): boolean {
    return false;
  }

  protected override dataIn(endpoint: number, buffer: Uint8Array, offset: number, length: number): number {
    const number = endpoint & 0x0f;
    const { outgoing, sent } =
      number === 1
        ? { outgoing: this.#outgoing, sent: () => {} }
        : { outgoing: this.#native[number - 2].outgoing, sent: (count: number) => this.#sentNative(count) };
    const count = outgoing.take(buffer, offset, length);
    if (count > 0) sent(count);
    return count === 0 ? UsbNak : count;
  }

  #sentNative(count: number): void {
    this.sentBytes += count;
    this.#tellBytes(count);
  }

  protected override dataOut(endpoint: number, buffer: Uint8Array, offset: number, length: number): number {
    if (this.#isHolding) return UsbNak;
    const bytes = buffer.slice(offset, offset + length);
    if (endpoint !== bulkOut) this.#receivedNative(endpoint, bytes);
    else if (this.#link === null) return UsbNak;
    else this.#link.take(bytes);
    return length;
  }

  /** Setting 1 is the session: the phone chooses it when an app opens one. */
  #settingOfNative(number: number, alternate: number): void {
    const { outgoing, protocol } = this.#native[number - 1];
    const wasOpen = this.#openNative.delete(number);
    outgoing.clear();
    if (alternate === 1) this.#openNative.add(number);
    if (alternate === 1) this.#application.opened?.(protocol);
    else if (wasOpen) this.#application.closed?.(protocol);
  }

  #receivedNative(number: number, bytes: Uint8Array): void {
    const { outgoing, protocol } = this.#native[number - 2];
    this.receivedBytes += bytes.length;
    this.#tellBytes(bytes.length);
    this.#application.received(protocol, bytes, (answer) => {
      const step = this.#options.segmentBytes ?? Math.max(1, answer.length);
      for (let at = 0; at < answer.length; at += step) outgoing.push(answer.slice(at, at + step));
      this.ready(0x80 | number);
    });
  }

  #received(session: number, payload: Uint8Array): void {
    if (session === controlSession)
      this.#reader.take(
        payload,
        (message) => this.#heard(message),
        (problem) => this.problems.push(problem),
      );
    else if (session === dataSession) this.#data(payload);
  }

  #tellStatus(session: number, status: number): void {
    this.#say({
      message: Iap2Message.statusProtocolSession,
      parameters: [numberParameter(0, session, 2), numberParameter(1, status, 1)],
    });
  }

  #heard({ message, parameters }: Iap2ControlMessage): void {
    const authentication = this.#options.authentication ?? "accepted";
    switch (message) {
      case Iap2Message.requestCertificate:
        if (authentication !== "silent")
          this.#say({ message: Iap2Message.certificate, parameters: [{ id: 0, value: certificate }] });
        return;
      case Iap2Message.requestChallengeResponse:
        if (authentication !== "silent")
          this.#say({
            message: Iap2Message.challengeResponse,
            parameters: [{ id: 0, value: responses[authentication] }],
          });
        return;
      case Iap2Message.startIdentification:
        this.#say(encodeIdentification(this.identification));
        return;
      case Iap2Message.startProtocolSession: {
        const [protocol, session] = [numberOf(parameters, 0), numberOf(parameters, 1)];
        const found = this.identification.protocols.find(({ id }) => id === protocol);
        if (session === null) return;
        if (found === undefined || found.nativeTransport !== undefined) {
          this.#tellStatus(session, statusClose);
          return;
        }
        this.#sessions.set(session, found.name);
        this.#application.opened?.(found.name);
        this.#tellStatus(session, statusOk);
        return;
      }
      case Iap2Message.stopProtocolSession: {
        const session = numberOf(parameters, 0);
        const name = session === null ? undefined : this.#sessions.get(session);
        if (session === null || name === undefined) return;
        this.#sessions.delete(session);
        this.#backlog.forget(session);
        this.#application.closed?.(name);
        return;
      }
      default:
    }
  }

  #data(payload: Uint8Array): void {
    const data = readSessionData(payload);
    const protocol = data === null ? undefined : this.#sessions.get(data.session);
    if (data === null || protocol === undefined) return;
    const { bytes, session } = data;
    this.receivedBytes += bytes.length;
    this.#tellBytes(bytes.length);
    this.#application.received(protocol, bytes, (answer) => this.#sendData(session, answer));
  }

  #sendData(session: number, bytes: Uint8Array): void {
    const most = (this.#link?.maximumPayloadBytes ?? 0) - sessionNumberBytes;
    const step = Math.max(1, Math.min(this.#options.segmentBytes ?? most, most));
    for (let at = 0; at < bytes.length; at += step) this.#backlog.add(session, bytes.subarray(at, at + step));
    this.#push();
  }

  #push(): void {
    if (this.#control.push(this.#link, controlSession)) this.#backlog.push(this.#link, dataSession);
  }

  /** The last `count` bytes of either way, one after the other. */
  #tellBytes(count: number): void {
    const total = this.receivedBytes + this.sentBytes;
    for (let at = total - count + 1; at <= total && this.onDataByte !== null; at++) this.onDataByte(at);
  }

  #say(message: Iap2ControlMessage): void {
    if (this.#control.add(message)) {
      this.#push();
      return;
    }
    this.problems.push("the phone lets the control session wait");
    this.#control.clear();
    this.#link?.close();
  }
}

/** Pieces for the phone, each of which ends its transfer; the first may have gone in part. */
class TransferQueue {
  #pieces: Uint8Array[] = [];
  #at = 0;

  push(piece: Uint8Array): void {
    this.#pieces.push(piece);
  }

  clear(): void {
    this.#pieces = [];
    this.#at = 0;
  }

  /** Fills what it can; 0 when there is nothing. */
  take(buffer: Uint8Array, offset: number, length: number): number {
    let count = 0;
    while (count < length) {
      const [first] = this.#pieces;
      if (first === undefined) break;
      const part = Math.min(length - count, first.length - this.#at);
      buffer.set(first.subarray(this.#at, this.#at + part), offset + count);
      count += part;
      this.#at += part;
      if (this.#at < first.length) break;
      this.#pieces.shift();
      this.#at = 0;
      // A piece ends its transfer, unless it fills its last USB packet.
      if (count % packetBytes !== 0) break;
    }
    return count;
  }
}
