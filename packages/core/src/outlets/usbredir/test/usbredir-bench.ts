// A usbredir outlet in memory, with the loopback device at one end and a guest of the test's own at the other.

import { Random } from "../../../base/random.ts";
import { millisecond } from "../../../base/units.ts";
import { VirtualClock } from "../../../base/virtual-clock.ts";
import { LoopbackDevice } from "../../../devices/loopback/loopback-device.ts";
import { type UsbFaultRule, withUsbFaults } from "../../../faults/usb-faults.ts";
import type { UsbDevicePort } from "../../../ports/usb-device.ts";
import { memoryStreamPair } from "../../../rigs/memory-stream.ts";
import { SimUsbBus } from "../../../transports/sim/usb-bus.ts";
import { UsbredirOutlet } from "../usbredir-outlet.ts";
import { UsbredirGuest } from "./usbredir-guest.ts";

export interface UsbredirBenchOptions {
  readonly device?: UsbDevicePort;
  readonly faults?: readonly UsbFaultRule[];
}

/** Long enough for a bus to bring a device back, short against every patience. */
const settlingNs = 200 * millisecond;

export class UsbredirBench {
  readonly clock = new VirtualClock();
  readonly bus: SimUsbBus;
  readonly outlet: UsbredirOutlet;
  readonly device: UsbDevicePort;
  readonly events: string[] = [];
  readonly connector: number;

  constructor(options: UsbredirBenchOptions = {}) {
    const { clock } = this;
    const random = new Random(1);
    this.bus = new SimUsbBus({ clock, random: random.fork("bus") });
    this.outlet = new UsbredirOutlet({ clock, onEvent: (text) => this.events.push(text) });
    const rules = options.faults ?? [];
    this.bus.onAttach((port) =>
      this.outlet.attach(
        rules.length === 0 ? port : withUsbFaults(port, { rules }, { clock, random: random.fork("faults") }),
      ),
    );
    this.device = options.device ?? new LoopbackDevice();
    this.connector = this.bus.plugIn(this.device);
    this.settle();
  }

  /** A guest that has just come; null announces nothing, not even itself. */
  meet(announced?: number | null): UsbredirGuest {
    const [near, far] = memoryStreamPair({ clock: this.clock });
    this.outlet.accept(far);
    return new UsbredirGuest(near, announced);
  }

  /** A guest that has read the device's descriptors and chosen its configuration; what it heard is forgotten. */
  configured(announced?: number): UsbredirGuest {
    const guest = this.meet(announced);
    this.settle();
    guest.send({ kind: "setConfiguration", configuration: 1 }, 1);
    this.settle();
    guest.take();
    return guest;
  }

  settle(): void {
    this.clock.runUntil(this.clock.nowNs() + settlingNs);
  }

  pass(nanoseconds: number): void {
    this.clock.runUntil(this.clock.nowNs() + nanoseconds);
  }
}
