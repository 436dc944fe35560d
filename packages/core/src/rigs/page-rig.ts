// A page's whole bench: navigator.usb, navigator.serial and navigator.hid over device models, in one virtual time.

import { TraceHash } from "../base/hash.ts";
import { IOSerialBSDClient } from "../families/serial/io-serial-bsd-client.ts";
import type { UsbFaultPlan } from "../faults/usb-faults.ts";
import { installWebHidGlobals, WebHidHost, type WebHidHostOptions } from "../outlets/web-hid/web-hid.ts";
import {
  installWebSerialGlobals,
  type WebSerialAbout,
  WebSerialHost,
  type WebSerialHostOptions,
} from "../outlets/web-serial/web-serial.ts";
import { WebUsb, type WebUsbOptions } from "../outlets/webusb/web-usb.ts";
import { installWebUsbGlobals } from "../outlets/webusb/web-usb-globals.ts";
import { platformProfile } from "../platform/platform-profile.ts";
import type { UsbDevicePort } from "../ports/usb-device.ts";
import type { UsbHostPort } from "../ports/usb-host.ts";
import type { DriverBundle } from "../runtime/driver-bundle.ts";
import type { HostTurn, Scheduler } from "../runtime/scheduler.ts";
import type { IOService } from "../runtime/service.ts";
import { FreeRunner } from "./free-runner.ts";
import { hidRequestNames } from "./hid-rig.ts";
import { SerialRig, serialRequestNames } from "./serial-rig.ts";
import { UsbBerth } from "./usb-berth.ts";

/** Which of a page's objects a device is for: a real machine's drivers decide that, here the test does. */
export type PageFace = "usb" | "serial" | "hid";

export interface PageRigOptions {
  readonly seed: number;
  readonly turn: HostTurn;
  /** Faults of every device, by face: rules as of `--fault`. */
  readonly faults?: Partial<Readonly<Record<PageFace, UsbFaultPlan>>>;
  /** Serial drivers in place of Drydock's own. */
  readonly bundles?: readonly DriverBundle[];
  readonly usb?: Omit<WebUsbOptions, "clock" | "onSettled">;
  readonly serial?: Omit<WebSerialHostOptions, "clock" | "onSettled">;
  readonly hid?: Omit<WebHidHostOptions, "onSettled">;
  /** Who takes the ports in place of this rig's own faces: a page elsewhere. */
  readonly takers?: PageTakers;
}

/** Ports on their way to the faces. */
export interface PageTakers {
  usb(port: UsbHostPort): void;
  hid(port: UsbHostPort): void;
  serial(port: IOSerialBSDClient, about: WebSerialAbout): void;
  serialLeft(port: IOSerialBSDClient): void;
}

/** A device in its socket. */
export interface Plug {
  readonly face: PageFace;
  readonly isIn: boolean;
  /** Pulls it out: transfers under way end as they do on hardware. Nothing happens when it is out already. */
  unplug(): void;
  /** The same device again, as after an unplug: pages see a new one. */
  plugIn(): void;
}

/** Plug devices in, start it with `runFreely` or a live runner, and give the page its faces with `installGlobals`. */
export class PageRig {
  readonly scheduler: Scheduler;
  readonly usb: WebUsb;
  readonly serialHost: WebSerialHost;
  readonly hidHost: WebHidHost;
  /** The machine behind `navigator.serial`. */
  readonly serialRig: SerialRig;
  readonly #berths: Readonly<Record<PageFace, UsbBerth>>;
  readonly #sockets: Record<PageFace, number> = { usb: 0, serial: 0, hid: 0 };

  constructor(options: PageRigOptions) {
    const { seed, turn, faults = {}, bundles, takers } = options;
    const serialRig = new SerialRig({
      seed,
      turn,
      profile: platformProfile("open"),
      devices: [],
      ...(bundles === undefined ? {} : { bundles }),
      ...(faults.serial === undefined ? {} : { faults: faults.serial }),
    });
    const { machine } = serialRig;
    const { scheduler } = machine;
    const onSettled = () => scheduler.expectContinuations();
    const onProblem = (reason: string) => this.#berths.usb.trace.mark(scheduler.nowNs(), reason);
    this.scheduler = scheduler;
    this.serialRig = serialRig;
    this.usb = new WebUsb({ onProblem, ...options.usb, clock: scheduler, onSettled });
    this.hidHost = new WebHidHost({ onProblem, ...options.hid, onSettled });
    this.serialHost = new WebSerialHost({ ...options.serial, clock: scheduler, onSettled });
    const berth = (face: "usb" | "hid", deliver: (port: UsbHostPort) => void): UsbBerth => {
      const plan = faults[face];
      return new UsbBerth(
        {
          scheduler,
          random: machine.random.fork(`page-${face}`),
          deliver: (port): undefined => {
            deliver(port);
          },
        },
        {
          describeRequests: face === "hid" ? hidRequestNames : serialRequestNames,
          ...(plan === undefined ? {} : { faults: plan }),
        },
      );
    };
    this.#berths = {
      usb: berth("usb", (port) => (takers === undefined ? this.usb.attach(port) : takers.usb(port))),
      hid: berth("hid", (port) => (takers === undefined ? this.hidHost.attach(port) : takers.hid(port))),
      serial: serialRig.usb,
    };
    machine.onRegistered((service) => {
      if (!(service instanceof IOSerialBSDClient)) return;
      const about = aboutPort(service);
      if (takers === undefined) this.serialHost.attach(service, about);
      else takers.serial(service, about);
    });
    machine.onGone((service) => {
      if (!(service instanceof IOSerialBSDClient)) return;
      if (takers === undefined) this.serialHost.detach(service);
      else takers.serialLeft(service);
    });
  }

  get serial(): WebSerialHost["serial"] {
    return this.serialHost.serial;
  }

  get hid(): WebHidHost["hid"] {
    return this.hidHost.hid;
  }

  /** Puts `device` into the next free socket of a face. */
  plugIn(device: UsbDevicePort, face: PageFace): Plug {
    const socket = ++this.#sockets[face];
    const { bus } = this.#berths[face];
    let isIn = true;
    bus.plugIn(device, socket);
    return {
      face,
      get isIn() {
        return isIn;
      },
      unplug: () => {
        if (isIn) bus.unplug(socket);
        isIn = false;
      },
      plugIn: () => {
        if (!isIn) bus.plugIn(device, socket);
        isIn = true;
      },
    };
  }

  /** The wire of one face. */
  trace(face: PageFace): UsbBerth["trace"] {
    return this.#berths[face].trace;
  }

  /**
   * `navigator.usb`, `navigator.serial` and `navigator.hid`, and the names of their interfaces, for a program that has no
   * line of its own for a rig. Answers how to take them away again.
   */
  installGlobals(target: object = globalThis): () => void {
    const undo = [
      installWebUsbGlobals(this.usb, target),
      installWebSerialGlobals(this.serial, target),
      installWebHidGlobals(this.hid, target),
    ];
    return () => {
      for (const step of undo.reverse()) step();
    };
  }

  /** Virtual time, as fast as it goes. `onProblem` gets what the rig itself threw. */
  runFreely(onProblem: (error: unknown) => void): FreeRunner {
    return new FreeRunner(this.scheduler, onProblem);
  }

  /** Runs until nothing is left to do, before any runner was started: devices that were plugged in are there then. */
  async settle(): Promise<void> {
    await this.scheduler.run();
  }

  /** One number for everything observable. Equal seeds and equal programs give equal digests, in a page and in Node. */
  digest(): string {
    const hash = new TraceHash();
    this.#berths.usb.trace.hashInto(hash);
    this.#berths.hid.trace.hashInto(hash);
    hash.text(this.serialRig.digest());
    return hash.digest();
  }
}

type Properties = Readonly<Record<string, unknown>>;

/** What the nearest entry of the registry that describes a USB device says of it. */
function aboutPort(port: IOService): WebSerialAbout {
  let usb: Properties = {};
  for (let entry: IOService | null = port; entry !== null; entry = entry.provider) {
    if (typeof entry.properties.bNumConfigurations !== "number") continue;
    usb = entry.properties;
    break;
  }
  const { idVendor, idProduct, kUSBSerialNumberString } = usb;
  return {
    ...(typeof idVendor === "number" ? { usbVendorId: idVendor } : {}),
    ...(typeof idProduct === "number" ? { usbProductId: idProduct } : {}),
    ...(typeof kUSBSerialNumberString === "string" ? { serialNumber: kUSBSerialNumberString } : {}),
  };
}
