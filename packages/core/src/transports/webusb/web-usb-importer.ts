// Brings a WebUSB device in: opens it, watches it leave, and makes a new port after each reset.

import type { Clock } from "../../base/clock.ts";
import { guessUsbSpeed, type UsbSpeed } from "../../codec/usb/usb-speed.ts";
import type { UsbHostPort } from "../../ports/usb-host.ts";
import type { USBConnectionEvent, USBConnectionEvents, USBDevice } from "../../ports/web-usb.ts";
import { WebUsbPort } from "./web-usb-port.ts";

export interface WebUsbImporterOptions {
  readonly clock: Clock;
  readonly device: USBDevice;
  /** Who tells of disconnections: `navigator.usb`, or the `webusb` of the npm package `usb`. */
  readonly events: USBConnectionEvents;
  /** Told of each attachment, with a port that nobody has connected to yet: as SimUsbBus tells it. */
  readonly onAttach: (port: UsbHostPort) => void;
  /** Why there is no device, or why part of it is not usable. */
  readonly onProblem?: (reason: string) => void;
  /** WebUSB does not tell it. Default: what the packet sizes allow. */
  readonly speed?: UsbSpeed;
  /** Where the device appears. Default: bus 3, connector 1. */
  readonly locationId?: number;
}

/** Holds one device until it leaves or `stop` gives it back. */
export class WebUsbImporter {
  readonly #options: WebUsbImporterOptions;
  #port: WebUsbPort | null = null;
  #isOver = false;

  constructor(options: WebUsbImporterOptions) {
    this.#options = options;
    options.events.addEventListener("disconnect", this.#onDisconnect);
    void this.#start(() => options.device.open(), "the device cannot be opened");
  }

  /** Gives the device back: its port is over, and it is closed. */
  async stop(): Promise<void> {
    if (this.#isOver) return;
    this.#end();
    try {
      await this.#options.device.close();
    } catch (error) {
      this.#problem("the device cannot be closed", error);
    }
  }

  async #start(step: () => Promise<void>, failure: string): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.#problem(failure, error);
      this.#end();
      return;
    }
    if (this.#isOver) return;
    const { device, clock, onAttach, locationId } = this.#options;
    this.#port = new WebUsbPort(device, {
      clock,
      speed: this.#options.speed ?? guessSpeed(device),
      locationId: locationId ?? 0x0310_0000,
      onReset: () => void this.#start(() => device.reset(), "the device did not come back from a reset"),
      onProblem: (reason) => this.#options.onProblem?.(reason),
    });
    onAttach(this.#port);
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.events.removeEventListener("disconnect", this.#onDisconnect);
    this.#port?.over();
  }

  #problem(what: string, error: unknown): void {
    this.#options.onProblem?.(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  }

  readonly #onDisconnect = ({ device }: USBConnectionEvent): void => {
    if (device === this.#options.device) this.#end();
  };
}

function guessSpeed(device: USBDevice): UsbSpeed {
  const endpoints = device.configurations.flatMap(({ interfaces }) =>
    interfaces.flatMap(({ alternates }) => alternates.flatMap((setting) => setting.endpoints)),
  );
  return guessUsbSpeed(endpoints.map(({ type, packetSize }) => ({ isBulk: type === "bulk", packetSize })));
}
