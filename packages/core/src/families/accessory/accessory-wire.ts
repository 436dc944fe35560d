// What the accessory family and whatever speaks with an accessory are to each other.

import type { Iap2Identification } from "../../codec/iap2/control-message.ts";

/** One accessory's wire, as a driver offers it. */
export interface AccessoryWire {
  /** The device that it belongs to: wires of one accessory have the same. */
  readonly place: object;
  /** An app's session with a protocol begins; `session` names it from here on. */
  startSession(protocolId: number, session: number): void;
  stopSession(session: number): void;
  /** Bytes of an app's stream; `sent` tells when the wire has them. */
  sendData(session: number, bytes: Uint8Array): void;
}

/** Who is told by the wires: the accessories of the system. */
export interface AccessoryOwner {
  identified(wire: AccessoryWire, identification: Iap2Identification): void;
  /** Bytes of a session, valid during the call. */
  received(session: number, bytes: Uint8Array): void;
  /** So many bytes of a session have been taken by the wire. */
  sent(session: number, count: number): void;
  gone(wire: AccessoryWire): void;
  /** The accessory says that it has begun a session; one that says nothing may have, too. */
  began?(session: number): void;
  /** The accessory does not begin a session, or has ended it. */
  refused(session: number): void;
  /** A wire for one protocol alone (EA native transport) is there; null: it is no longer. */
  offers(wire: AccessoryWire, protocol: string | null): void;
}
