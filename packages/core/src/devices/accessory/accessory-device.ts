// An accessory with protocols, as a phone or tablet finds it on USB: the "iAP Interface" and what speaks behind it.

import type { Clock } from "../../base/clock.ts";
import { DecodeError } from "../../base/errors.ts";
import { encodeUtf8 } from "../../base/text.ts";
import {
  decodeControlMessage,
  encodeControlMessage,
  encodeIdentification,
  type Iap2ControlMessage,
  type Iap2Identification,
  Iap2MatchAction,
  Iap2Message,
  type Iap2Protocol,
  numberOf,
  numberParameter,
} from "../../codec/iap2/control-message.ts";
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

/** accessory.md §8: class FF, subclass F0, protocol 00, one bulk pair. */
export const iapInterface = {
  bInterfaceClass: 0xff,
  bInterfaceSubClass: 0xf0,
  bInterfaceProtocol: 0,
} as const;
const bulkIn = 0x81;
const bulkOut = 0x01;
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
  /** Packets for the phone; the first may have gone in part. */
  #outgoing: Uint8Array[] = [];
  #outgoingAt = 0;
  #isHolding = false;
  /** EA session id by the phone's numbering. */
  readonly #sessions = new Map<number, string>();
  readonly #backlog = new SessionBacklog((_session, count) => {
    this.sentBytes += count;
    this.#tellBytes(count);
  });

  constructor(options: AccessoryOptions) {
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
              iInterface: 4,
              endpoints: [bulkIn, bulkOut].map((bEndpointAddress) => ({
                bEndpointAddress,
                bmAttributes: TransferType.bulk,
                wMaxPacketSize: packetBytes,
                bInterval: 0,
              })),
            },
          ],
        ),
      ],
      strings: ["Drydock", "Gauge", "0001", "iAP Interface"],
    });
    this.#options = options;
    this.#application = options.application ?? echo;
    this.identification = { ...defaultIdentification, ...options.identification };
  }

  /** The accessory takes nothing more from the phone until `releaseSpace`: its buffers are full. */
  holdSpace(): void {
    this.#isHolding = true;
  }

  releaseSpace(): void {
    this.#isHolding = false;
    this.ready(bulkOut);
  }

  protected override powerOn(): void {
    this.#link?.close();
    this.#link = null;
    this.#outgoing = [];
    this.#outgoingAt = 0;
    this.#backlog.clear();
    this.#isHolding = false;
    this.#sessions.clear();
    this.receivedBytes = 0;
    this.sentBytes = 0;
  }

  protected override settingBegan(): void {
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

  protected override dataIn(_endpoint: number, buffer: Uint8Array, offset: number, length: number): number {
    let count = 0;
    while (count < length) {
      const [first] = this.#outgoing;
      if (first === undefined) break;
      const part = Math.min(length - count, first.length - this.#outgoingAt);
      buffer.set(first.subarray(this.#outgoingAt, this.#outgoingAt + part), offset + count);
      count += part;
      this.#outgoingAt += part;
      if (this.#outgoingAt < first.length) break;
      this.#outgoing.shift();
      this.#outgoingAt = 0;
      // A link packet ends its transfer, unless it fills its last USB packet.
      if (count % packetBytes !== 0) break;
    }
    return count === 0 ? UsbNak : count;
  }

  protected override dataOut(_endpoint: number, buffer: Uint8Array, offset: number, length: number): number {
    if (this.#isHolding || this.#link === null) return UsbNak;
    this.#link.take(buffer.slice(offset, offset + length));
    return length;
  }

  #received(session: number, payload: Uint8Array): void {
    if (session === controlSession) this.#control(payload);
    else if (session === dataSession) this.#data(payload);
  }

  #control(payload: Uint8Array): void {
    let heard: Iap2ControlMessage;
    try {
      heard = decodeControlMessage(payload);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.problems.push(error.message);
      return;
    }
    const { message, parameters } = heard;
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
        if (found === undefined || session === null) return;
        this.#sessions.set(session, found.name);
        this.#application.opened?.(found.name);
        this.#say({
          message: Iap2Message.statusProtocolSession,
          parameters: [numberParameter(0, session, 2), numberParameter(1, 0, 1)],
        });
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
    this.#backlog.push(this.#link, dataSession);
  }

  /** The last `count` bytes of either way, one after the other. */
  #tellBytes(count: number): void {
    const total = this.receivedBytes + this.sentBytes;
    for (let at = total - count + 1; at <= total && this.onDataByte !== null; at++) this.onDataByte(at);
  }

  #say(message: Iap2ControlMessage): void {
    if (this.#link?.send(controlSession, encodeControlMessage(message)) !== true)
      this.problems.push(`message ${message.message.toString(16)} found no room in the window`);
  }
}
