// The HID rig: a machine, a USB bus, a keyboard and a gamepad on it, and the driver that makes events of them.

import { describeHidRequest } from "../codec/hid/hid.ts";
import type { DescribeRequest } from "../codec/usb/setup.ts";
import { HidGamepadDevice } from "../devices/hid-gamepad/hid-gamepad-device.ts";
import { HidKeyboardDevice } from "../devices/hid-keyboard/hid-keyboard-device.ts";
import { usbHidBundle } from "../drivers/usb-hid/usb-hid-driver.ts";
import { type HidInput, installHidFamily } from "../families/hid/hid-family.ts";
import type { HidEvent, HidInputClient } from "../ports/hid.ts";
import type { DriverBundle } from "../runtime/driver-bundle.ts";
import { UsbRig, type UsbRigOptions } from "./usb-rig.ts";
import { UsbRigDoors } from "./usb-rig-doors.ts";

export interface HidRigOptions extends Omit<UsbRigOptions, "describeRequests"> {
  /** In order of the connectors, from 1. Default: both. */
  readonly devices?: readonly ("keyboard" | "gamepad")[];
  /** Drivers in place of Drydock's own. */
  readonly bundles?: readonly DriverBundle[];
}

export const hidRequestNames: readonly DescribeRequest[] = [describeHidRequest];

/** Somebody who listens: keeps every event. */
export class HidListener implements HidInputClient {
  readonly events: HidEvent[] = [];
  goneCount = 0;

  event(event: HidEvent): void {
    this.events.push(event);
  }

  gone(): void {
    this.goneCount++;
  }

  /** Keys that went down or up, as "+04" and "-04". */
  keys(): string[] {
    return this.events.flatMap((event) =>
      event.kind === "key" ? [`${event.isDown ? "+" : "-"}${event.usage.toString(16).padStart(2, "0")}`] : [],
    );
  }
}

/** Each input that comes up gets a listener at once: no event is missed. */
export class HidRig extends UsbRigDoors {
  readonly keyboard: HidKeyboardDevice;
  readonly gamepad: HidGamepadDevice;
  /** In order of appearance; gone ones stay. */
  readonly inputs: { readonly input: HidInput; readonly listener: HidListener }[] = [];

  constructor(options: HidRigOptions) {
    super(new UsbRig({ ...options, describeRequests: hidRequestNames }));
    const clock = this.machine.scheduler;
    this.keyboard = new HidKeyboardDevice({ clock });
    this.gamepad = new HidGamepadDevice({ clock });
    installHidFamily(this.machine, (input) => {
      const listener = new HidListener();
      input.open(listener);
      this.inputs.push({ input, listener });
    });
    for (const bundle of options.bundles ?? [usbHidBundle]) this.machine.install(bundle);
    (options.devices ?? ["keyboard", "gamepad"]).forEach((kind, index) => {
      this.usb.bus.plugIn(kind === "keyboard" ? this.keyboard : this.gamepad, index + 1);
    });
  }

  /** Runs until `count` inputs are there, or for two seconds of the machine. */
  async untilInputs(count: number): Promise<void> {
    const { scheduler } = this.machine;
    await scheduler.run(scheduler.nowNs() + 2_000_000_000, () => this.inputs.length >= count);
  }
}
