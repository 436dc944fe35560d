// The system's drivers of an accessory on USB: its link, and the interfaces that protocols have to themselves.

import { IOReturns } from "../../base/io-return.ts";
import type { AccessoryOwner, AccessoryWire } from "../../families/accessory/accessory-wire.ts";
import { IOUSBHostInterface } from "../../families/usb/io-usb-host-interface.ts";
import type { DriverBundle } from "../../runtime/driver-bundle.ts";
import { IOError } from "../../runtime/io-error.ts";
import { IOService } from "../../runtime/service.ts";
import { BytePipes } from "./byte-pipes.ts";
import { PhoneEnd } from "./phone-end.ts";

/** Given by the bundle that carries the class: where accessories are known. */
abstract class AccessoryService extends IOService {
  static owner: AccessoryOwner | null = null;

  get owner(): AccessoryOwner {
    const { owner } = this.constructor as typeof AccessoryService;
    if (owner === null) throw new Error("the accessory family is not installed");
    return owner;
  }

  protected mustBeInterface(provider: IOService, call: string): IOUSBHostInterface {
    if (provider instanceof IOUSBHostInterface) return provider;
    throw this.failure(IOReturns.kIOReturnBadArgument, call);
  }
}

/** Matches the interface FF/F0/00 and speaks with what is behind it, from the cable's coming to its going. */
export class IAPTransport extends AccessoryService {
  #usb: IOUSBHostInterface | null = null;
  #pipes: BytePipes | null = null;
  #phone: PhoneEnd | null = null;

  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    const usb = this.mustBeInterface(provider, "IAPTransport.start");
    await usb.open(this);
    this.#usb = usb;
    const phone: PhoneEnd = new PhoneEnd(this.process.scheduler, this.owner, {
      place: usb.device,
      send: (bytes) => this.#pipes?.send(bytes),
      log: (text) => this.log(text, "error"),
      over: () => {},
    });
    this.#pipes = BytePipes.open(usb, {
      createAction: (name, handler) => this.createAction(name, handler),
      came: (bytes) => phone.take(bytes),
      left: () => {},
      over: () => phone.close(),
    });
    if (this.#pipes === null) throw this.failure(IOReturns.kIOReturnNotFound, "IAPTransport.start");
    this.#phone = phone;
    phone.start();
  }

  /** Aborts, waits for both cancel handlers, closes, then tells the superclass. */
  override async stop(provider: IOService): Promise<void> {
    this.#phone?.close();
    const finish = () => {
      this.#usb?.close(this);
      return super.stop(provider);
    };
    if (this.#pipes === null) await finish();
    else await this.#pipes.close(() => this.defaultQueue.dispatchAsync(finish));
  }
}

/**
 * Matches an interface FF/F0/01, whose string is the name of the one protocol that it carries (likely: EA native transport).
 * Setting 0 has no endpoints; setting 1, chosen while a session is open, has a bulk pair for the bytes as they are.
 */
export class EANativeTransport extends AccessoryService implements AccessoryWire {
  #usb: IOUSBHostInterface | null = null;
  #pipes: BytePipes | null = null;
  /** The session that should have the interface, and the one that has it. */
  #wanted: number | null = null;
  #open: number | null = null;
  /** Bytes of the wanted session before the setting is in force. */
  #early: Uint8Array[] = [];
  #isChanging = false;
  #isStopping = false;

  get place(): object {
    return this.#usb?.device ?? this;
  }

  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    const usb = this.mustBeInterface(provider, "EANativeTransport.start");
    await usb.open(this);
    this.#usb = usb;
    const protocol = await usb.copyStringDescriptor(usb.getInterfaceDescriptor().iInterface);
    this.owner.offers(this, protocol);
  }

  override async stop(provider: IOService): Promise<void> {
    this.#isStopping = true;
    this.owner.offers(this, null);
    const finish = () => {
      this.#usb?.close(this);
      return super.stop(provider);
    };
    const pipes = this.#pipes;
    this.#pipes = null;
    if (pipes === null) await finish();
    else await pipes.close(() => this.defaultQueue.dispatchAsync(finish));
  }

  startSession(_protocolId: number, session: number): void {
    this.#wanted = session;
    this.#early = [];
    this.defaultQueue.dispatchAsync(() => this.#settle());
  }

  stopSession(session: number): void {
    if (this.#wanted !== session) return;
    this.#wanted = null;
    this.#early = [];
    this.defaultQueue.dispatchAsync(() => this.#settle());
  }

  sendData(session: number, bytes: Uint8Array): void {
    if (this.#wanted !== session) return;
    if (this.#open === session) this.#pipes?.send(bytes);
    else this.#early.push(bytes);
  }

  /** In the driver's own thread: one change of the setting at a time, until what is wanted is what is there. */
  async #settle(): Promise<void> {
    if (this.#isChanging || this.#isStopping || this.#open === this.#wanted) return;
    this.#isChanging = true;
    if (this.#pipes === null) {
      await this.#begin();
      this.#isChanging = false;
      await this.#settle();
      return;
    }
    const pipes = this.#pipes;
    this.#pipes = null;
    this.#open = null;
    await pipes.close(() => this.defaultQueue.dispatchAsync(() => this.#rest()));
  }

  /** Setting 0 again. A device that refuses it, or leaves, has its line in the log by the request. */
  async #rest(): Promise<void> {
    if (!this.#isStopping) await this.#select(0);
    this.#isChanging = false;
    await this.#settle();
  }

  async #begin(): Promise<void> {
    const [usb, session] = [this.#usb, this.#wanted];
    if (usb === null || session === null) return;
    if (await this.#select(1))
      this.#pipes = BytePipes.open(usb, {
        createAction: (name, handler) => this.createAction(name, handler),
        came: (bytes) => this.owner.received(session, bytes),
        left: (count) => this.owner.sent(session, count),
        over: () => this.owner.refused(session),
      });
    if (this.#pipes === null) {
      this.log("the accessory's own interface gives no bulk pair: the session ends", "error");
      if (this.#wanted === session) this.#wanted = null;
      this.owner.refused(session);
      return;
    }
    this.#open = session;
    if (this.#wanted === session) for (const bytes of this.#early.splice(0)) this.#pipes.send(bytes);
  }

  async #select(setting: number): Promise<boolean> {
    try {
      await this.#usb?.selectAlternateSetting(setting);
      return true;
    } catch (error) {
      if (!(error instanceof IOError)) throw error;
      return false;
    }
  }
}

/** The system's drivers of accessories, for one machine. */
export function iapBundle(owner: AccessoryOwner): DriverBundle {
  class Transport extends IAPTransport {
    static override owner = owner;
  }
  class Native extends EANativeTransport {
    static override owner = owner;
  }
  // Any vendor's: the table of USB keys has no row for a vendor-specific class alone. How the real one matches is unknown.
  const personality = (name: string, bInterfaceProtocol: number) => ({
    IOClass: name,
    IOProviderClass: "IOUSBHostInterface",
    IOPropertyMatch: { bInterfaceClass: 0xff, bInterfaceSubClass: 0xf0, bInterfaceProtocol },
  });
  return {
    kind: "kext",
    identifier: "com.apple.driver.iap-transport",
    version: "1",
    teamIdentifier: "",
    entitlements: {},
    personalities: {
      IAPTransport: personality("IAPTransport", 0),
      EANativeTransport: personality("EANativeTransport", 1),
    },
    classes: { IAPTransport: Transport, EANativeTransport: Native },
  };
}
