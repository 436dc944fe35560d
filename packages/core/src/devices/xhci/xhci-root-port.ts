// A root port of the controller model: a USB device that a bus below has brought up, and PORTSC about it.

import type { Clock } from "../../base/clock.ts";
import { second } from "../../base/units.ts";
import { xhciSpeedOf } from "../../codec/xhci/contexts.ts";
import { XhciPortStatus as Bits, XhciLinkState } from "../../codec/xhci/registers.ts";
import type { UsbHostClient, UsbHostPort, UsbStatus } from "../../ports/usb-host.ts";

/** How long a device may take to come back from a reset before the port shows nobody. */
const comebackNs = second;

/** Who takes what the device answers. */
export interface RootPortOwner {
  portChanged(number: number): void;
  /** A transfer of the device ended. */
  transferEnded(port: ModelRootPort, usbSlot: number, status: UsbStatus, actualBytes: number): void;
}

export class ModelRootPort {
  readonly number: number;
  readonly isSuper: boolean;
  usb: UsbHostPort | null = null;
  readonly #owner: RootPortOwner;
  readonly #clock: Clock;
  #changes = 0;
  #isEnabled = false;
  /** Nobody has spoken to it since it came. */
  #isFresh = true;
  #isResetting = false;
  #generation = 0;
  /** Where its device sits below, so that one that comes back from a reset is known. */
  locationId = -1;

  constructor(owner: RootPortOwner, clock: Clock, number: number, isSuper: boolean) {
    this.#owner = owner;
    this.#clock = clock;
    this.number = number;
    this.isSuper = isSuper;
  }

  get isEnabled(): boolean {
    return this.#isEnabled;
  }

  get isFree(): boolean {
    return this.usb === null && !this.#isResetting;
  }

  attach(usb: UsbHostPort): void {
    this.usb = usb;
    this.locationId = usb.locationId;
    this.#isFresh = true;
    const client: UsbHostClient = {
      completed: (slot, status, actualBytes) => {
        if (this.usb === usb) this.#owner.transferEnded(this, slot, status, actualBytes);
      },
      detached: () => {
        if (this.usb === usb) this.#left();
      },
    };
    usb.connect(client);
    if (this.#isResetting) this.#endReset();
    else this.#change(Bits.connectChange);
  }

  /** Something is said to the device: the next reset is a real one. */
  touch(): void {
    this.#isFresh = false;
  }

  read(): number {
    const { usb } = this;
    const isThere = usb !== null || this.#isResetting;
    const link = isThere
      ? this.#isEnabled
        ? XhciLinkState.u0
        : XhciLinkState.polling
      : XhciLinkState.rxDetect;
    return (
      ((isThere ? Bits.connected : 0) |
        (this.#isEnabled ? Bits.enabled : 0) |
        (this.#isResetting ? Bits.reset : 0) |
        (link << Bits.linkShift) |
        Bits.power |
        ((usb !== null ? xhciSpeedOf(usb.speed) : 0) << Bits.speedShift) |
        this.#changes) >>>
      0
    );
  }

  write(value: number): void {
    this.#changes &= ~(value & Bits.changes);
    if ((value & Bits.enabled) !== 0) this.#isEnabled = false;
    if ((value & Bits.reset) !== 0) this.#reset();
  }

  /** The controller begins anew; the device stays where it is. */
  begin(): void {
    this.#isEnabled = false;
    this.#changes = this.usb !== null ? Bits.connectChange : 0;
  }

  #reset(): void {
    const { usb } = this;
    if (usb === null || this.#isResetting) return;
    this.#isResetting = true;
    this.#isEnabled = false;
    const generation = ++this.#generation;
    if (this.#isFresh) {
      this.#clock.after(0, () => this.#endReset(), undefined);
      return;
    }
    usb.reset();
    this.#clock.after(
      comebackNs,
      () => {
        if (this.#isResetting && this.#generation === generation) {
          this.#isResetting = false;
          this.usb = null;
          this.#change(Bits.connectChange | Bits.resetChange);
        }
      },
      undefined,
    );
  }

  #endReset(): void {
    if (!this.#isResetting) return;
    this.#isResetting = false;
    this.#isEnabled = this.usb !== null;
    this.#change(this.usb !== null ? Bits.resetChange : Bits.resetChange | Bits.connectChange);
  }

  #left(): void {
    this.usb = null;
    if (this.#isResetting) return;
    this.#isEnabled = false;
    this.#change(Bits.connectChange);
  }

  #change(bits: number): void {
    this.#changes |= bits;
    this.#owner.portChanged(this.number);
  }
}
