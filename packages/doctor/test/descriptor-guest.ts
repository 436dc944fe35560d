// A Linux guest that is shown devices with given descriptors, one after the other, and what it made of each.

import { parseDeviceDescriptor } from "@drydock/core/codec/usb/descriptors";
import type { Setup } from "@drydock/core/codec/usb/setup";
import { decodeSetup, newSetup, StandardRequest } from "@drydock/core/codec/usb/setup";
import { UsbDeviceModel } from "@drydock/core/devices/usb-device-model";
import { type UsbDevicePort, UsbNak, type UsbUpstream } from "@drydock/core/ports/usb-device";
import { UsbExportRig } from "@drydock/core/rigs/usb-export-rig";
import { hostTurn } from "@drydock/node/host-turn";
import { LiveRunner } from "@drydock/node/live-runner";
import type { Listener } from "@drydock/node/socket-stream";
import { listenUsbip } from "@drydock/node/usbip-listener";
import { guestSkip, LinuxGuest } from "../../node/test/guest/linux-guest.ts";
import type { GivenDescriptor } from "../src/descriptors/descriptor-set.ts";
import { type Example, givenOf } from "../src/test/planted-descriptors.ts";

/** Drivers of the classes that the examples are of. */
const modules = [
  "usbhid",
  "hid-generic",
  "usb-storage",
  "uas",
  "cdc-acm",
  "cdc_ether",
  "cdc_ncm",
  "snd-usb-audio",
];

export const descriptorGuestSkip = guestSkip({ modules });

export interface GuestVerdict {
  /** What the kernel said: facility and level as `dmesg -r` has them, without times and the device's number. */
  readonly lines: readonly { readonly level: number; readonly text: string }[];
  /** The configuration that is in force; "" when none is. Null: the device was not enumerated. */
  readonly configuration: string | null;
  /** Each interface by number: its driver ("" for none), and its endpoints' addresses. */
  readonly interfaces: Readonly<
    Record<string, { readonly driver: string; readonly endpoints: readonly string[] }>
  >;
}

const mostAsked = 25;
const getDescriptor = 0x80;
const [deviceType, configurationType, reportType] = [1, 2, 0x22];
/** CDC NCM 1.0 §6.2.1: 16 KiB each way, aligned to 4. */
const ntbParameters = Uint8Array.of(
  ...[28, 0, 1, 0, 0, 0x40, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0],
  ...[0, 0x40, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0],
);
/** Of the class request that reads them. */
const getNtbParameters = 0x80;

/** What the examples' drivers ask beside descriptors, answered as a good device does; its data endpoints are silent. */
class QuietDevice extends UsbDeviceModel {
  readonly #reports: ReadonlyMap<number, Uint8Array>;

  constructor(example: Example, reports: ReadonlyMap<number, Uint8Array>) {
    super({
      speed: example.speed ?? 2,
      device: parseDeviceDescriptor(Uint8Array.from(example.device)),
      configurations: [Uint8Array.from(example.configuration)],
      strings: ["Drydock", "Planted", "3", "02DD00000001"],
    });
    this.#reports = reports;
  }

  protected override powerOn(): void {}
  protected override answerRequest(setup: Setup): Uint8Array | null {
    if (setup.bRequest === StandardRequest.getDescriptor && setup.wValue >> 8 === reportType)
      return this.#reports.get(setup.wIndex) ?? null;
    return setup.bRequest === getNtbParameters ? ntbParameters : null;
  }
  protected override performRequest(): boolean {
    return true;
  }
  protected override dataIn(): number {
    return UsbNak;
  }
  protected override dataOut(
    _endpoint: number,
    _buffer: Uint8Array,
    _offset: number,
    length: number,
  ): number {
    return length;
  }
}

/** Says what is right until the server has read it; from then on what was planted. */
class PlantedDevice implements UsbDevicePort {
  readonly speed;
  readonly #good: QuietDevice;
  readonly #wrong: ReadonlyMap<number, Uint8Array>;
  readonly #setup = newSetup();
  #isWrong = false;
  #answer: Uint8Array | null = null;
  #at = 0;

  constructor(example: Example, given: readonly GivenDescriptor[]) {
    const reports = given.flatMap((one) =>
      one.role === "report" ? [[one.interfaceNumber ?? 0, one.bytes] as const] : [],
    );
    this.#good = new QuietDevice(example, new Map(reports));
    this.speed = this.#good.speed;
    this.#wrong = new Map(
      given.flatMap(({ bytes, role }) =>
        role === "report" ? [] : [[role === "device" ? deviceType : configurationType, bytes] as const],
      ),
    );
  }

  plug(upstream: UsbUpstream): void {
    this.#good.plug(upstream);
  }
  unplug(): void {
    this.#good.unplug();
  }
  reset(): void {
    this.#good.reset();
  }

  setup(packet: Uint8Array): void {
    const setup = decodeSetup(packet, this.#setup);
    this.#answer = null;
    this.#good.setup(packet);
    if (setup.bmRequestType !== getDescriptor || setup.bRequest !== StandardRequest.getDescriptor) return;
    const type = setup.wValue >> 8;
    const bytes = this.#wrong.get(type);
    if (this.#isWrong && bytes !== undefined) {
      this.#answer = bytes.subarray(0, setup.wLength);
      this.#at = 0;
    }
    // The server's last question: the whole of the only configuration.
    if (type === configurationType && setup.wLength > 9) this.#isWrong = true;
  }

  in(endpoint: number, buffer: Uint8Array, offset: number, length: number, stream = 0): number {
    if ((endpoint & 0x0f) !== 0 || this.#answer === null)
      return this.#good.in(endpoint, buffer, offset, length, stream);
    const part = this.#answer.subarray(this.#at, this.#at + length);
    buffer.set(part, offset);
    this.#at += part.length;
    return part.length;
  }

  out(endpoint: number, buffer: Uint8Array, offset: number, length: number, stream = 0): number {
    return this.#good.out(endpoint, buffer, offset, length, stream);
  }
}

/** One boot for any number of devices. */
export class DescriptorGuest {
  readonly #guest: LinuxGuest;
  readonly #rig: UsbExportRig;
  readonly #runner: LiveRunner;
  readonly #listener: Listener;

  private constructor(parts: {
    guest: LinuxGuest;
    rig: UsbExportRig;
    runner: LiveRunner;
    listener: Listener;
  }) {
    this.#guest = parts.guest;
    this.#rig = parts.rig;
    this.#runner = parts.runner;
    this.#listener = parts.listener;
  }

  static async boot(): Promise<DescriptorGuest> {
    const rig = new UsbExportRig({ seed: 1, turn: hostTurn, timing: "none", trace: false });
    const runner = new LiveRunner(rig.scheduler);
    void runner.start();
    const listener = await listenUsbip(rig.server, { port: 0, steps: rig.scheduler });
    const guest = await LinuxGuest.boot({ modules });
    // A disk is bound at once and looked at much later, when it is gone again.
    await guest.run(`modprobe usb-storage delay_use=600; modprobe -a vhci-hcd ${modules.join(" ")}`);
    return new DescriptorGuest({ guest, rig, runner, listener });
  }

  async stop(): Promise<void> {
    await this.#guest.stop();
    this.#rig.server.close();
    await this.#listener.close();
    await this.#runner.stop();
  }

  /** The example as it is. */
  clean(example: Example): Promise<GuestVerdict> {
    return this.verdict(example, givenOf(example));
  }

  /** What the guest makes of these descriptors on a device that is otherwise the example. */
  async verdict(example: Example, given: readonly GivenDescriptor[]): Promise<GuestVerdict> {
    const guest = this.#guest;
    await guest.clearDmesg();
    this.#rig.usb.bus.plugIn(new PlantedDevice(example, given), 1);
    await guest.run(`usbip --tcp-port ${this.#listener.port} attach -r 10.0.2.2 -b 1-1`);
    await guest.waitFor(
      "dmesg",
      /New USB device found|unable to enumerate|can't read configurations|no configurations/,
    );
    const said = await this.#settled();
    this.#rig.usb.bus.unplug(1);
    await guest.waitFor("ls /sys/bus/usb/devices", /^(?!.*\d-\d+(?::|\s|$)(?<!\d-0:))/s);
    return said;
  }

  /** Asked until it says the same twice; a kernel that tries again and again is left at what it has said by then. */
  async #settled(): Promise<GuestVerdict> {
    let before = "";
    for (let asked = 1; ; asked++) {
      const now = await this.#guest.run(
        `dmesg -r; echo =; cd /sys/bus/usb/devices; for d in [0-9]*-[1-9]*; do [ -e $d ] || continue
         case $d in *:*) echo "I $(cat $d/bInterfaceNumber) $(basename "$(readlink $d/driver)") $(cat $d/ep_*/bEndpointAddress 2>/dev/null | tr '\\n' ' ')";;
         *) echo "D $(cat $d/bConfigurationValue)";; esac; done; cd /`,
      );
      if (now === before || asked === mostAsked) return verdictOf(now);
      before = now;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

function verdictOf(said: string): GuestVerdict {
  const [log, devices = ""] = said.split("\n=\n");
  const interfaces: Record<string, { driver: string; endpoints: string[] }> = {};
  let configuration: string | null = null;
  for (const line of devices.split("\n")) {
    const [what, first = "", ...rest] = line.split(" ");
    if (what === "D") configuration = first;
    if (what === "I")
      interfaces[first] = { driver: rest[0] ?? "", endpoints: rest.slice(1).filter((text) => text !== "") };
  }
  return {
    lines: log.split("\n").flatMap((line) => {
      const match = /^<(\d+)>\[ *\d+\.\d+\] (.*)$/.exec(line);
      return match === null
        ? []
        : [{ level: Number(match[1]) & 7, text: match[2].replace(/^(\w+) \d+-\d+(?:\.\d+)*:?/, "$1:") }];
    }),
    configuration,
    interfaces,
  };
}
