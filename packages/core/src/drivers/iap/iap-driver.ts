// The system's end of an accessory's wire: link, authentication by a stand-in, identification, sessions.

import { DecodeError } from "../../base/errors.ts";
import { type IOReturn, IOReturns } from "../../base/io-return.ts";
import { decodeUtf8 } from "../../base/text.ts";
import {
  decodeControlMessage,
  encodeControlMessage,
  type Iap2ControlMessage,
  Iap2Message,
  type Iap2Parameter,
  judgeIdentification,
  numberParameter,
} from "../../codec/iap2/control-message.ts";
import { Iap2Link } from "../../codec/iap2/iap2-link.ts";
import { Iap2SessionType } from "../../codec/iap2/link-packet.ts";
import { readSessionData, SessionBacklog } from "../../codec/iap2/session-data.ts";
import type { AccessoryOwner, AccessoryWire } from "../../families/accessory/accessory-wire.ts";
import { IOUSBHostInterface } from "../../families/usb/io-usb-host-interface.ts";
import type { IOUSBHostPipe } from "../../families/usb/io-usb-host-pipe.ts";
import type { OSAction } from "../../runtime/action.ts";
import type { DriverBundle } from "../../runtime/driver-bundle.ts";
import {
  type IOMemoryDescriptor,
  kIOMemoryDirectionIn,
  kIOMemoryDirectionOut,
} from "../../runtime/memory.ts";
import { IOService } from "../../runtime/service.ts";

const bulkIn = 0x80;
const readBytes = 4096;
/** What the stand-in's "yes" reads like. The real certificate and its check are licensed, and absent. */
const accepted = "DRYDOCK-STAND-IN-ACCEPT";
const challengeBytes = 20;
const noBytes = new Uint8Array(0);

/** Matches the interface FF/F0/00 and speaks with what is behind it, from the cable's coming to its going. */
export class IAPTransport extends IOService implements AccessoryWire {
  /** Given by the bundle that carries the class: where accessories are known. */
  static owner: AccessoryOwner | null = null;
  #usb: IOUSBHostInterface | null = null;
  #in: IOUSBHostPipe | null = null;
  #out: IOUSBHostPipe | null = null;
  #link: Iap2Link | null = null;
  #readBuffer: IOMemoryDescriptor | null = null;
  #read: OSAction | null = null;
  #wrote: OSAction | null = null;
  readonly #outgoing: Uint8Array[] = [];
  #isWriting = false;
  #writeBuffer: IOMemoryDescriptor | null = null;
  #controlSession = 0;
  #dataSession = 0;
  readonly #backlog = new SessionBacklog((session, count) => this.owner.sent(session, count));
  #isOver = false;

  get owner(): AccessoryOwner {
    const { owner } = this.constructor as typeof IAPTransport;
    if (owner === null) throw new Error("the accessory family is not installed");
    return owner;
  }

  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    if (!(provider instanceof IOUSBHostInterface))
      throw this.failure(IOReturns.kIOReturnBadArgument, "IAPTransport.start");
    await provider.open(this);
    this.#usb = provider;
    for (const { descriptor } of provider.setting.endpoints) {
      if ((descriptor.bmAttributes & 3) !== 2) continue;
      const pipe = provider.copyPipe(descriptor.bEndpointAddress);
      if ((descriptor.bEndpointAddress & bulkIn) !== 0) this.#in ??= pipe;
      else this.#out ??= pipe;
    }
    if (this.#in === null || this.#out === null)
      throw this.failure(IOReturns.kIOReturnNotFound, "IAPTransport.start");
    this.#readBuffer = provider.createIOBuffer(kIOMemoryDirectionIn, readBytes);
    this.#read = this.createAction("read", (_action, status, count) => this.#came(status, count));
    this.#wrote = this.createAction("wrote", (_action, status) => this.#left(status));
    this.#link = new Iap2Link(
      {
        clock: this.process.scheduler,
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
        send: (bytes) => {
          this.#outgoing.push(bytes);
          this.#write();
        },
        established: ({ sessions }) => {
          this.#controlSession = sessions.find(({ type }) => type === Iap2SessionType.control)?.id ?? 0;
          this.#dataSession =
            sessions.find(({ type }) => type === Iap2SessionType.externalAccessory)?.id ?? 0;
          this.#say(Iap2Message.requestCertificate);
        },
        received: (session, payload) => {
          if (session === this.#controlSession) this.#control(payload);
          else if (session === this.#dataSession) this.#data(payload);
        },
        writable: () => this.#push(),
        dead: (reason) => this.#end(`the link to the accessory is over: ${reason}`),
      },
    );
    this.#link.start();
    this.#readOn();
  }

  /** Aborts, waits for both cancel handlers, closes, then tells the superclass. */
  override async stop(provider: IOService): Promise<void> {
    this.#end(null);
    await this.#in?.abort();
    await this.#out?.abort();
    const finish = () => {
      this.#usb?.close(this);
      this.#readBuffer?.release();
      this.#readBuffer = null;
      return super.stop(provider);
    };
    const actions = [this.#read, this.#wrote].filter((action) => action !== null);
    let waiting = actions.length;
    if (waiting === 0) {
      await finish();
      return;
    }
    for (const action of actions)
      action.cancel(() => {
        waiting--;
        if (waiting === 0) this.defaultQueue.dispatchAsync(finish);
      });
  }

  /** An app's session with a protocol begins or ends. */
  startSession(protocolId: number, session: number): void {
    this.#say(Iap2Message.startProtocolSession, [
      numberParameter(0, protocolId, 1),
      numberParameter(1, session, 2),
    ]);
  }

  stopSession(session: number): void {
    this.#backlog.forget(session);
    this.#say(Iap2Message.stopProtocolSession, [numberParameter(0, session, 2)]);
  }

  /** Bytes of an app's stream; `owner.sent` tells when the wire has them. */
  sendData(session: number, bytes: Uint8Array): void {
    this.#backlog.add(session, bytes);
    this.#push();
  }

  #data(payload: Uint8Array): void {
    const data = readSessionData(payload);
    if (data !== null) this.owner.received(data.session, data.bytes);
  }

  #push(): void {
    this.#backlog.push(this.#link, this.#dataSession);
  }

  #say(message: number, parameters: readonly Iap2Parameter[] = []): void {
    const bytes = encodeControlMessage({ message, parameters });
    if (this.#link?.send(this.#controlSession, bytes) !== true && !this.#isOver)
      this.#end("the accessory lets the control session wait");
  }

  #control(payload: Uint8Array): void {
    let heard: Iap2ControlMessage;
    try {
      heard = decodeControlMessage(payload);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.log(`a message of the accessory makes no sense: ${error.message}`, "error");
      return;
    }
    const { message, parameters } = heard;
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
        else this.log("authentication of the accessory failed: its protocols stay hidden", "error");
        return;
      }
      case Iap2Message.identification: {
        const judged = judgeIdentification(parameters);
        if ("offending" in judged) {
          this.#say(
            Iap2Message.identificationRejected,
            judged.offending.map((id) => ({ id, value: noBytes })),
          );
          this.log(`identification rejected: parameters ${judged.offending.join(", ")}`, "error");
          return;
        }
        this.#say(Iap2Message.identificationAccepted);
        this.owner.identified(this, judged);
        return;
      }
      default:
    }
  }

  #readOn(): void {
    if (this.#isOver) return;
    const status = this.#in?.asyncIO(
      this.#readBuffer as IOMemoryDescriptor,
      readBytes,
      this.#read as OSAction,
    );
    if (status !== IOReturns.kIOReturnSuccess) this.#end(null);
  }

  #came(status: IOReturn, count: number): void {
    if (status !== IOReturns.kIOReturnSuccess) {
      this.#end(null);
      return;
    }
    if (this.#readBuffer === null) return;
    this.#link?.take(this.#readBuffer.bytes.slice(0, count));
    this.#readOn();
  }

  #write(): void {
    const [next] = this.#outgoing;
    if (next === undefined || this.#isWriting || this.#isOver || this.#usb === null) return;
    this.#isWriting = true;
    this.#outgoing.shift();
    const buffer = this.#usb.createIOBuffer(kIOMemoryDirectionOut, next.length);
    buffer.bytes.set(next);
    const status = this.#out?.asyncIO(buffer, next.length, this.#wrote as OSAction);
    this.#writeBuffer = buffer;
    if (status !== IOReturns.kIOReturnSuccess) this.#end(null);
  }

  #left(status: IOReturn): void {
    this.#writeBuffer?.release();
    this.#writeBuffer = null;
    this.#isWriting = false;
    if (status !== IOReturns.kIOReturnSuccess) {
      this.#end(null);
      return;
    }
    this.#write();
  }

  /** Once: the cable is out, or the link has died of something that is said. */
  #end(reason: string | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#link?.close();
    this.#backlog.clear();
    if (reason !== null) this.log(reason, "error");
    this.owner.gone(this);
  }
}

/** The system's driver of accessories, for one machine. */
export function iapBundle(owner: AccessoryOwner): DriverBundle {
  class Transport extends IAPTransport {
    static override owner = owner;
  }
  return {
    kind: "kext",
    identifier: "com.apple.driver.iap-transport",
    version: "1",
    teamIdentifier: "",
    entitlements: {},
    personalities: {
      IAPTransport: {
        IOClass: "IAPTransport",
        IOProviderClass: "IOUSBHostInterface",
        // Any vendor's: the table of USB keys has no row for a vendor-specific class alone. How the real one matches is unknown.
        IOPropertyMatch: { bInterfaceClass: 0xff, bInterfaceSubClass: 0xf0, bInterfaceProtocol: 0 },
      },
    },
    classes: { IAPTransport: Transport },
  };
}
