// The phone's end of an accessory's link, whatever carries it: authentication by a stand-in, identification, sessions.

import type { Clock } from "../../base/clock.ts";
import { decodeUtf8 } from "../../base/text.ts";
import {
  type Iap2ControlMessage,
  Iap2Message,
  type Iap2Parameter,
  judgeIdentification,
  numberOf,
  numberParameter,
} from "../../codec/iap2/control-message.ts";
import { ControlBacklog, ControlReader } from "../../codec/iap2/control-stream.ts";
import { Iap2Link } from "../../codec/iap2/iap2-link.ts";
import { Iap2SessionType } from "../../codec/iap2/link-packet.ts";
import { readSessionData, SessionBacklog, sessionNumberBytes } from "../../codec/iap2/session-data.ts";
import type { AccessoryOwner, AccessoryWire } from "../../families/accessory/accessory-wire.ts";

/** What the stand-in's "yes" reads like. The real certificate and its check are licensed, and absent. */
const accepted = "DRYDOCK-STAND-IN-ACCEPT";
const challengeBytes = 20;
const noBytes = new Uint8Array(0);
/** EA03's words: a session has begun; the accessory ends it, or does not begin it. */
const statusOk = 0;
const statusClose = 1;

/** Whoever carries the link's bytes. */
export interface PhoneEndCarrier {
  /** What the accessory is plugged in as: interfaces of the same are its. */
  readonly place: object;
  /** Bytes for the accessory, owned by the callee. */
  send(bytes: Uint8Array): void;
  /** A line of the system's log: what was refused, and why. */
  log(text: string): void;
  /** Once: the link is over. */
  over(): void;
}

export class PhoneEnd implements AccessoryWire {
  readonly #link: Iap2Link;
  readonly #accessories: AccessoryOwner;
  readonly #carrier: PhoneEndCarrier;
  readonly #reader = new ControlReader();
  readonly #control = new ControlBacklog();
  readonly #data: SessionBacklog;
  #controlSession = 0;
  #dataSession = 0;
  #isOver = false;
  #isIdentified = false;

  constructor(clock: Clock, accessories: AccessoryOwner, carrier: PhoneEndCarrier) {
    this.#accessories = accessories;
    this.#carrier = carrier;
    this.#data = new SessionBacklog((session, count) => accessories.sent(session, count));
    this.#link = new Iap2Link(
      {
        clock,
        role: "device",
        firstSequence: 20,
        parameters: {
          maximumOutstanding: 5,
          maximumPacketBytes: 4096,
          retransmissionTimeoutMs: 1000,
          acknowledgeTimeoutMs: 20,
          maximumRetransmissions: 30,
          maximumCumulativeAcknowledges: 3,
          sessions: [],
        },
      },
      {
        send: (bytes) => carrier.send(bytes),
        established: ({ sessions }) => {
          const numberOfType = (wanted: number): number =>
            sessions.find(({ type }) => type === wanted)?.id ?? 0;
          this.#controlSession = numberOfType(Iap2SessionType.control);
          this.#dataSession = numberOfType(Iap2SessionType.externalAccessory);
          this.#say(Iap2Message.requestCertificate);
        },
        received: (session, payload) => {
          if (session === this.#controlSession)
            this.#reader.take(
              payload,
              (message) => this.#heard(message),
              (problem) => carrier.log(`a message of the accessory makes no sense: ${problem}`),
            );
          else if (session === this.#dataSession) this.#received(payload);
        },
        writable: () => this.#push(),
        dead: (reason) => this.#end(`the link to the accessory is over: ${reason}`),
      },
    );
  }

  get place(): object {
    return this.#carrier.place;
  }

  start(): void {
    this.#link.start();
  }

  /** Bytes of the accessory, cut anywhere. */
  take(bytes: Uint8Array): void {
    this.#link.take(bytes);
  }

  /** The cable is out. */
  close(): void {
    this.#end(null);
  }

  startSession(protocolId: number, session: number): void {
    this.#say(Iap2Message.startProtocolSession, [
      numberParameter(0, protocolId, 1),
      numberParameter(1, session, 2),
    ]);
  }

  stopSession(session: number): void {
    this.#data.forget(session);
    this.#say(Iap2Message.stopProtocolSession, [numberParameter(0, session, 2)]);
  }

  sendData(session: number, bytes: Uint8Array): void {
    const most = this.#link.maximumPayloadBytes - sessionNumberBytes;
    for (let at = 0; at < bytes.length; at += most) this.#data.add(session, bytes.subarray(at, at + most));
    this.#push();
  }

  #received(payload: Uint8Array): void {
    const data = readSessionData(payload);
    if (data !== null) this.#accessories.received(data.session, data.bytes);
  }

  #push(): void {
    if (this.#control.push(this.#link, this.#controlSession)) this.#data.push(this.#link, this.#dataSession);
  }

  #say(message: number, parameters: readonly Iap2Parameter[] = []): void {
    if (this.#isOver) return;
    if (!this.#control.add({ message, parameters })) this.#end("the accessory lets the control session wait");
    else this.#push();
  }

  #heard({ message, parameters }: Iap2ControlMessage): void {
    switch (message) {
      case Iap2Message.certificate:
        // The content is not looked at: there is nothing here that could judge it.
        this.#say(Iap2Message.requestChallengeResponse, [{ id: 0, value: new Uint8Array(challengeBytes) }]);
        return;
      case Iap2Message.challengeResponse: {
        const response = decodeUtf8(parameters.find(({ id }) => id === 0)?.value ?? noBytes);
        const isAccepted = response === accepted;
        this.#say(isAccepted ? Iap2Message.authenticationSucceeded : Iap2Message.authenticationFailed);
        if (isAccepted) this.#say(Iap2Message.startIdentification);
        else this.#carrier.log("authentication of the accessory failed: its protocols stay hidden");
        return;
      }
      case Iap2Message.identification:
        this.#identify(parameters);
        return;
      case Iap2Message.statusProtocolSession: {
        const [session, status] = [numberOf(parameters, 0), numberOf(parameters, 1)];
        if (session === null) return;
        if (status === statusOk) this.#accessories.began?.(session);
        if (status !== statusClose) return;
        this.#data.forget(session);
        this.#accessories.refused(session);
        return;
      }
      default:
    }
  }

  #identify(parameters: readonly Iap2Parameter[]): void {
    // One accessory a link: what it says of itself later changes nothing that apps know already.
    if (this.#isIdentified) return;
    const judged = judgeIdentification(parameters);
    if ("offending" in judged) {
      this.#say(
        Iap2Message.identificationRejected,
        judged.offending.map((id) => ({ id, value: noBytes })),
      );
      this.#carrier.log(`identification rejected: parameters ${judged.offending.join(", ")}`);
      return;
    }
    this.#isIdentified = true;
    this.#say(Iap2Message.identificationAccepted);
    this.#accessories.identified(this, judged);
  }

  #end(reason: string | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#link.close();
    this.#control.clear();
    this.#data.clear();
    if (reason !== null) this.#carrier.log(reason);
    this.#accessories.gone(this);
    this.#carrier.over();
  }
}
