// The USB family of a machine: enumerates attached devices, publishes them and their interfaces, takes them away.

import { DecodeError } from "../../base/errors.ts";
import { pushNewest } from "../../base/newest.ts";
import { hex } from "../../base/text.ts";
import { viewConfiguration } from "../../codec/usb/configuration-view.ts";
import { type Configuration, parseDeviceDescriptor } from "../../codec/usb/descriptors.ts";
import { usbDeviceProperties, usbInterfaceProperties } from "../../platform/nub-properties.ts";
import type { Properties } from "../../platform/properties.ts";
import type { UsbHostPort } from "../../ports/usb-host.ts";
import { IOError } from "../../runtime/io-error.ts";
import type { Machine } from "../../runtime/machine.ts";
import type { IOService } from "../../runtime/service.ts";
import { IOUSBHostDevice, type UsbDeviceFamily } from "./io-usb-host-device.ts";
import { IOUSBHostInterface } from "./io-usb-host-interface.ts";

/** Devices that did not come up, the newest; a rig may run for days. */
const keptFailures = 1024;

/** What became of an attach, for `drydock registry` and the log. */
export interface EnumerationFailure {
  readonly locationId: number;
  readonly reason: string;
}

/**
 * Joins buses to a machine: a rig calls `attach` with each port (wrapped in faults and trace, if any). Enumeration runs
 * on a kernel thread; a device whose descriptors cannot be read or parsed is reported in `failures` and not published.
 */
export class UsbFamily implements UsbDeviceFamily {
  readonly failures: EnumerationFailure[] = [];
  readonly #machine: Machine;
  readonly #controller: IOService;

  constructor(machine: Machine, controller: IOService) {
    this.#machine = machine;
    this.#controller = controller;
  }

  /**
   * A device has come. Answers the nub at once, so that a trace can ask it who is calling
   * (`device.requests.describeCaller`); it is registered when enumeration has succeeded.
   */
  attach(port: UsbHostPort): IOUSBHostDevice {
    const device = this.#machine.publish(
      { kernelClass: "IOUSBHostDevice", provider: this.#controller },
      (context) => new IOUSBHostDevice(context, port, this),
    );
    device.location = hex(port.locationId, 8);
    this.#machine.kernelProcess.spawn(`enumerate ${device.location}`, () => this.#enumerate(device));
    return device;
  }

  publishInterfaces(
    device: IOUSBHostDevice,
    configuration: Configuration,
    register: boolean,
  ): IOUSBHostInterface[] {
    const own = device.deviceDescriptor;
    return configuration.interfaces.map((entry) => {
      const { descriptor } = entry.settings[0];
      const properties: Properties = {
        ...usbInterfaceProperties(own, configuration.descriptor, descriptor),
        locationID: device.requests.port.locationId,
      };
      const published = this.#machine.publish(
        { kernelClass: "IOUSBHostInterface", provider: device, properties },
        (context) => new IOUSBHostInterface(context, device, entry.settings),
      );
      published.location = hex(descriptor.bInterfaceNumber);
      if (register) published.registerService();
      return published;
    });
  }

  withdrawInterfaces(device: IOUSBHostDevice): void {
    for (const client of [...device.clients]) {
      if (client instanceof IOUSBHostInterface) this.#machine.terminate(client);
    }
  }

  detached(device: IOUSBHostDevice): void {
    this.#machine.terminate(device);
  }

  async #enumerate(device: IOUSBHostDevice): Promise<void> {
    try {
      await this.#readDescriptors(device);
    } catch (error) {
      if (!(error instanceof IOError || error instanceof DecodeError)) throw error;
      pushNewest(
        this.failures,
        { locationId: device.requests.port.locationId, reason: error.message },
        keptFailures,
      );
      this.#machine.log.kernel(
        `IOUSBHostFamily: device ${device.location} could not be enumerated: ${error.message}`,
      );
      this.#machine.terminate(device);
      return;
    }
    if (device.isInactive) return;
    device.registerService();
    this.#machine.kernelProcess.spawn(`configure ${device.location}`, () => this.#configureByDefault(device));
  }

  async #readDescriptors(device: IOUSBHostDevice): Promise<void> {
    const descriptor = parseDeviceDescriptor(await device.copyDescriptor(1, 0, 0, 18));
    const configurations: Configuration[] = [];
    for (let index = 0; index < descriptor.bNumConfigurations; index++) {
      const header = await device.copyDescriptor(2, index, 0, 9);
      if (header.length < 9)
        throw new DecodeError("configuration descriptor", header.length, "shorter than 9 bytes");
      const bytes = await device.copyDescriptor(2, index, 0, header[2] | (header[3] << 8));
      const { configuration, faults } = viewConfiguration(bytes, device.requests.port.speed);
      for (const { text, offset } of faults) {
        this.#machine.log.remark(
          `device ${device.location}: configuration ${index}, byte ${offset}: ${text} (as Linux does; what macOS does is unknown)`,
        );
      }
      configurations.push(configuration);
    }
    device.describe(descriptor, configurations);
    const product = await device.copyStringDescriptor(descriptor.iProduct);
    const vendor = await device.copyStringDescriptor(descriptor.iManufacturer);
    const serial = await device.copyStringDescriptor(descriptor.iSerialNumber);
    if (product !== "") device.registryName = product;
    Object.assign(device.properties, {
      ...usbDeviceProperties(descriptor, { product, vendor, serial }),
      locationID: device.requests.port.locationId,
      USBSpeed: device.requests.port.speed,
      kUSBAddress: device.getAddress(),
    });
  }

  /** When no driver took the device as a whole, the family selects its first configuration, as composite devices need. */
  async #configureByDefault(device: IOUSBHostDevice): Promise<void> {
    while (device.busyCount > 0 && !device.isInactive) await this.#machine.scheduler.sleep(1_000_000);
    if (device.isInactive || device.clients.length > 0 || device.configuration !== null) return;
    try {
      await device.setConfiguration(
        device.copyConfigurationDescriptor(0).descriptor.bConfigurationValue,
        true,
      );
    } catch (error) {
      if (!(error instanceof IOError)) throw error;
      pushNewest(
        this.failures,
        { locationId: device.requests.port.locationId, reason: error.message },
        keptFailures,
      );
      if (!device.isInactive)
        this.#machine.log.remark(
          `device ${device.location} could not be configured: ${error.message}`,
          "error",
        );
    }
  }
}
