// The Serial object of Web Serial over a rig's ports: grants, filters, events. What `navigator.serial` is in a page.
// Web Serial API, Draft Community Group Report, §Serial Interface.

import type { Clock } from "../../base/clock.ts";
import type { SerialPort } from "../../ports/serial.ts";
import {
  EventHandler,
  type FaceEvent,
  FaceEventBase,
  FaceEventTarget,
  faceError,
  illegal,
  installFace,
  named,
} from "../page-face.ts";
import { enforced, SerialLink, WebSerialPort, type WebSerialPortInfo } from "./web-serial-port.ts";

/** §SerialPortFilter Dictionary. Every member that is present must match. */
export interface WebSerialPortFilter {
  usbVendorId?: number;
  /** Only together with usbVendorId. */
  usbProductId?: number;
  /** Only alone; no port of a rig is a Bluetooth service's. */
  bluetoothServiceClassId?: number | string;
}

/** §SerialPortRequestOptions Dictionary. */
export interface WebSerialRequestOptions {
  filters?: readonly WebSerialPortFilter[];
  allowedBluetoothServiceClassIds?: readonly (number | string)[];
}

/** What is known of a port beside its bytes. */
export interface WebSerialAbout {
  readonly usbVendorId?: number;
  readonly usbProductId?: number;
  /** A grant outlives a device that has one. */
  readonly serialNumber?: string;
}

export interface WebSerialHostOptions {
  readonly clock: Clock;
  /** Called after a promise was settled by the rig: its continuations should run before virtual time moves. */
  readonly onSettled?: () => void;
  /** `getPorts` and events show every port, as if the user had granted all. Default false. */
  readonly allowAllPorts?: boolean;
  /** The user's choice among the ports that match; null or undefined is a cancelled prompt. Default: the first. */
  readonly portsFound?: (
    ports: WebSerialPort[],
  ) => WebSerialPort | null | undefined | Promise<WebSerialPort | null | undefined>;
  /** Awaited before any answer about devices: those that are being announced come first. */
  readonly ready?: () => Promise<void>;
  /** Transient activation, asked at each `requestPort`. Default: always. */
  readonly hasUserActivation?: () => boolean;
}

/** The face; members are those of Chromium's Serial and no others. */
export class WebSerial extends FaceEventTarget {
  readonly #host: WebSerialHost;
  readonly #onconnect = new EventHandler(this, "connect");
  readonly #ondisconnect = new EventHandler(this, "disconnect");

  constructor(host: WebSerialHost) {
    super();
    this.#host = host;
  }

  get [Symbol.toStringTag](): string {
    return "Serial";
  }

  get onconnect() {
    return this.#onconnect.value;
  }

  set onconnect(handler) {
    this.#onconnect.value = handler;
  }

  get ondisconnect() {
    return this.#ondisconnect.value;
  }

  set ondisconnect(handler) {
    this.#ondisconnect.value = handler;
  }

  /** Ports that are there and granted. */
  async getPorts(): Promise<WebSerialPort[]> {
    return this.#host.granted();
  }

  /**
   * TypeError for filters that name nothing or that contradict themselves; SecurityError without a user's gesture;
   * NotFoundError when no port was chosen.
   */
  async requestPort(options: WebSerialRequestOptions = {}): Promise<WebSerialPort> {
    return this.#host.request(options);
  }
}

/** Give it each port with `attach`, and tell it with `detach` when the port has left. */
export class WebSerialHost {
  readonly serial: WebSerial;
  readonly clock: Clock;
  readonly #options: WebSerialHostOptions;
  readonly #links = new Map<SerialPort, SerialLink>();
  readonly #granted = new Set<SerialLink>();
  /** Of devices with a serial number: they outlive the device. */
  readonly #remembered = new Set<string>();

  constructor(options: WebSerialHostOptions) {
    this.#options = options;
    this.clock = options.clock;
    this.serial = new WebSerial(this);
  }

  /** A port has appeared. A port that comes back is another one. */
  attach(port: SerialPort, about: WebSerialAbout = {}): void {
    const { usbVendorId, usbProductId, serialNumber = null } = about;
    const info: WebSerialPortInfo = {
      ...(usbVendorId === undefined ? {} : { usbVendorId }),
      ...(usbProductId === undefined ? {} : { usbProductId }),
    };
    const link = new SerialLink(port, { info, serialNumber }, this);
    this.#links.set(port, link);
    if (this.#options.allowAllPorts === true || this.#remembered.has(keyOf(link))) this.#granted.add(link);
    if (this.#granted.has(link)) this.#fire("connect", link);
  }

  /** The port has left; whoever had it open was told by the port itself. */
  detach(port: SerialPort): void {
    const link = this.#links.get(port);
    if (link === undefined) return;
    this.#links.delete(port);
    link.left();
    if (this.#granted.delete(link)) this.#fire("disconnect", link);
  }

  async granted(): Promise<WebSerialPort[]> {
    await this.#options.ready?.();
    return [...this.#links.values()].filter((link) => this.#granted.has(link)).map(({ face }) => face);
  }

  async request(options: WebSerialRequestOptions | null): Promise<WebSerialPort> {
    const filters = filtersOf(options);
    if (this.#options.hasUserActivation?.() === false)
      throw faceError("SecurityError", "requestPort must be called while a user's gesture is handled");
    await this.#options.ready?.();
    const offered = [...this.#links.values()].filter(
      (link) => filters.length === 0 || filters.some((filter) => matches(link, filter)),
    );
    const faces = offered.map(({ face }) => face);
    const { portsFound } = this.#options;
    const chosen = portsFound === undefined ? faces[0] : await portsFound([...faces]);
    const link = offered.find(({ face }) => face === chosen);
    if (link === undefined || !link.isConnected) throw faceError("NotFoundError", "no port was selected");
    this.#granted.add(link);
    if (link.serialNumber !== null) this.#remembered.add(keyOf(link));
    return link.face;
  }

  settled(): void {
    this.#options.onSettled?.();
  }

  forget(face: WebSerialPort): void {
    for (const link of [...this.#granted]) {
      if (link.face !== face) continue;
      this.#granted.delete(link);
      this.#remembered.delete(keyOf(link));
      // A forgotten port's object is of no use any more: a later request makes a new one.
      for (const [port, entry] of this.#links) {
        if (entry === link)
          this.#links.set(
            port,
            new SerialLink(port, { info: link.info, serialNumber: link.serialNumber }, this),
          );
      }
    }
  }

  /** At the port, then at `Serial`, with the port as target: the event bubbles there. */
  #fire(type: "connect" | "disconnect", link: SerialLink): void {
    link.face.dispatchEvent(new FaceEventBase(type, { bubbles: true }));
    const event: FaceEvent = new FaceEventBase(type, { bubbles: true });
    Object.defineProperty(event, "target", { value: link.face });
    this.serial.dispatchEvent(event);
    this.settled();
  }
}

function keyOf({ info, serialNumber }: SerialLink): string {
  return `${info.usbVendorId}:${info.usbProductId}:${serialNumber}`;
}

function matches({ info }: SerialLink, filter: WebSerialPortFilter): boolean {
  if (filter.bluetoothServiceClassId !== undefined) return false;
  return (
    info.usbVendorId === filter.usbVendorId &&
    (filter.usbProductId === undefined || info.usbProductId === filter.usbProductId)
  );
}

/** §requestPort() method, step "is a valid filter". */
function filtersOf(options: WebSerialRequestOptions | null): readonly WebSerialPortFilter[] {
  const { filters = [] } = options ?? {};
  if (typeof filters?.[Symbol.iterator] !== "function") throw new TypeError("filters is a list");
  return [...filters].map((filter) => {
    const { usbVendorId, usbProductId, bluetoothServiceClassId } = filter ?? {};
    if (bluetoothServiceClassId !== undefined) {
      if (usbVendorId !== undefined || usbProductId !== undefined)
        throw new TypeError("a filter has bluetoothServiceClassId or USB ids, not both");
      return { bluetoothServiceClassId };
    }
    if (usbVendorId === undefined)
      throw new TypeError(
        usbProductId === undefined
          ? "an empty filter matches nothing: leave it out, or name usbVendorId"
          : "usbProductId needs usbVendorId beside it",
      );
    return {
      usbVendorId: enforced("usbVendorId", usbVendorId, 0xffff),
      ...(usbProductId === undefined ? {} : { usbProductId: enforced("usbProductId", usbProductId, 0xffff) }),
    };
  });
}

const globals = {
  Serial: named("Serial", WebSerial, illegal("Serial")),
  SerialPort: named("SerialPort", WebSerialPort, illegal("SerialPort")),
};

/** Puts `navigator.serial`, `Serial` and `SerialPort` into `target`. Answers how to take them away again. */
export function installWebSerialGlobals(serial: WebSerial, target: object): () => void {
  return installFace(target, globals, "serial", serial);
}
