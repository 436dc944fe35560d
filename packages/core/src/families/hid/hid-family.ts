// The HID family of a machine: interfaces on devices, input ports on event services.

import { formatReturn, type IOReturn, IOReturns } from "../../base/io-return.ts";
import { UsagePage } from "../../codec/hid-report/usages.ts";
import { hidInterfaceEntitlement } from "../../platform/hid-nub.ts";
import type { Properties } from "../../platform/properties.ts";
import type { HidEvent, HidInputClient, HidInputPort } from "../../ports/hid.ts";
import type { Machine } from "../../runtime/machine.ts";
import { callService } from "../../runtime/service-call.ts";
import { IOHIDEventService } from "./io-hid-event-service.ts";
import { IOHIDInterface } from "./io-hid-interface.ts";
import { IOUserHIDDevice } from "./io-user-hid-device.ts";

/** Keys of the device that the interface shows, for matching (driverkit-core.md §11.4). */
const copiedKeys = [
  "VendorID",
  "ProductID",
  "VersionNumber",
  "Transport",
  "Manufacturer",
  "Product",
  "SerialNumber",
  "LocationID",
  "CountryCode",
  "PrimaryUsagePage",
  "PrimaryUsage",
  "DeviceUsagePairs",
  "ReportDescriptor",
  "MaxInputReportSize",
  "MaxOutputReportSize",
  "MaxFeatureReportSize",
];

/** The system's end of one event service. */
export class HidInput implements HidInputPort {
  readonly service: IOHIDEventService;
  readonly #machine: Machine;
  #client: HidInputClient | null = null;
  #isGone = false;
  readonly #leds: { usage: number; isOn: boolean }[] = [];
  #isSetting = false;
  /** The last refusal of the driver. */
  lastFailure: { readonly call: string; readonly status: IOReturn } | null = null;

  constructor(machine: Machine, service: IOHIDEventService) {
    this.#machine = machine;
    this.service = service;
    service.attachKernelSide((event) => this.#event(event));
  }

  get name(): string {
    const product = this.service.provider?.copyProperties().Product;
    return typeof product === "string" ? product : this.service.className;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  open(client: HidInputClient): string | null {
    if (this.#isGone) return "the device is gone";
    if (this.#client !== null) return "somebody listens already";
    this.#client = client;
    return null;
  }

  close(): void {
    this.#client = null;
  }

  setLed(usage: number, isOn: boolean): void {
    if (this.#isGone) return;
    this.#leds.push({ usage, isOn });
    if (this.#isSetting) return;
    this.#isSetting = true;
    this.#machine.kernelProcess.spawn(`LEDs of ${this.name}`, () => this.#setLeds());
  }

  /** The family's side: the service has left the registry. */
  left(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#leds.length = 0;
    const client = this.#client;
    this.#client = null;
    client?.gone();
  }

  #event(event: HidEvent): void {
    this.#client?.event(event);
  }

  async #setLeds(): Promise<void> {
    for (let next = this.#leds.shift(); next !== undefined && !this.#isGone; next = this.#leds.shift()) {
      const { usage, isOn } = next;
      const { status, why } = await callService(
        this.#machine.scheduler,
        this.service,
        "SetLEDState",
        this.#machine.messageDelayNs(),
        () => this.service.setLEDState(UsagePage.led, usage, isOn),
      );
      if (status === IOReturns.kIOReturnSuccess || this.#isGone) continue;
      this.lastFailure = { call: "SetLEDState", status };
      this.#machine.log.remark(
        `${this.service.className}: SetLEDState failed with ${formatReturn(status)}${why === "" ? "" : `: ${why}`}`,
        "error",
      );
    }
    this.#isSetting = false;
  }
}

/** Publishes an IOHIDInterface on each HID device that registers, and tells `onInput` of each event service. */
export function installHidFamily(machine: Machine, onInput: (input: HidInput) => void): void {
  const inputs = new Map<IOHIDEventService, HidInput>();
  machine.onRegistered((service) => {
    if (service instanceof IOUserHIDDevice) publishInterface(machine, service);
    else if (service instanceof IOHIDEventService) {
      const input = new HidInput(machine, service);
      inputs.set(service, input);
      onInput(input);
    }
  });
  machine.onGone((service) => {
    if (!(service instanceof IOHIDEventService)) return;
    inputs.get(service)?.left();
    inputs.delete(service);
  });
}

function publishInterface(machine: Machine, device: IOUserHIDDevice): void {
  const all = device.copyProperties();
  const properties: Properties = {
    ...Object.fromEntries(Object.entries(all).filter(([key]) => copiedKeys.includes(key))),
    IOServiceDEXTEntitlements: hidInterfaceEntitlement,
  };
  const nub = machine.publish({ kernelClass: "IOHIDInterface", provider: device, properties }, (context) => {
    return new IOHIDInterface(context, device, () => machine.messageDelayNs());
  });
  nub.registerService();
}
