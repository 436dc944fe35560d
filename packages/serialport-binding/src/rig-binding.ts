// The binding of `serialport` over a rig: its list of ports, and opening one.

import type { SerialPort } from "@drydock/core/ports/serial";
import type { SerialRig } from "@drydock/core/rigs/serial-rig";
import type { IOService } from "@drydock/core/runtime/service";
import type { BindingInterface, OpenOptions, PortInfo } from "@serialport/bindings-interface";
import { withDefaults } from "./line-options.ts";
import { RigPort, type RigTime } from "./rig-port.ts";

/** As macOS names the two files of a port; the bare name is understood too. */
const prefixes = ["/dev/tty.", "/dev/cu."];

/**
 * For `new SerialPortStream({ binding, path, baudRate })`. The rig must be run by somebody: a `FreeRunner` of core in
 * virtual time, or the `LiveRunner` of `@drydock/node` in real time.
 */
export class RigBinding implements BindingInterface<RigPort> {
  readonly #rig: SerialRig;
  readonly #time: RigTime;

  constructor(rig: SerialRig) {
    const { scheduler } = rig.machine;
    this.#rig = rig;
    this.#time = { clock: scheduler, settled: () => scheduler.expectContinuations() };
  }

  /** Ports that are there now. What the device does not say is undefined. */
  async list(): Promise<PortInfo[]> {
    return this.#rig.ports.filter((port) => !port.isInactive).map(describe);
  }

  /**
   * Resolves when the driver has the port up with these options. Rejects when there is no such port, when it is open
   * already, when an option cannot be had, or when the device leaves meanwhile.
   */
  async open(options: OpenOptions): Promise<RigPort> {
    const all = withDefaults(options);
    const port = this.#find(all.path);
    if (port === undefined) {
      const there = (await this.list()).map(({ path }) => path).join(", ");
      throw new Error(`No such port: ${all.path}; there are: ${there || "none"}`);
    }
    const opened = new RigPort(port, all, this.#time);
    await opened.activation;
    return opened;
  }

  /** The newest of that name: a device that came back has a new port. */
  #find(path: string): SerialPort | undefined {
    const prefix = prefixes.find((entry) => path.startsWith(entry)) ?? "";
    const name = path.slice(prefix.length);
    const named = this.#rig.ports.filter((port) => port.name === name);
    return named.findLast((port) => !port.isInactive) ?? named.at(-1);
  }
}

function describe(port: SerialRig["ports"][number]): PortInfo {
  const usb = search(port, (properties) => typeof properties.bNumConfigurations === "number");
  const hex = (value: unknown) =>
    typeof value === "number" ? value.toString(16).padStart(4, "0") : undefined;
  const text = (value: unknown) => (typeof value === "string" ? value : undefined);
  return {
    path: `${prefixes[0]}${port.name}`,
    manufacturer: text(usb.kUSBVendorString),
    serialNumber: text(usb.kUSBSerialNumberString),
    pnpId: undefined,
    locationId: typeof usb.locationID === "number" ? usb.locationID.toString(16).padStart(8, "0") : undefined,
    productId: hex(usb.idProduct),
    vendorId: hex(usb.idVendor),
  };
}

type Properties = Readonly<Record<string, unknown>>;

/** The nearest entry of the registry, from the port towards the bus, that has what is wanted. */
function search(from: IOService, isMeant: (properties: Properties) => boolean): Properties {
  for (let entry: IOService | null = from; entry !== null; entry = entry.provider) {
    if (isMeant(entry.properties)) return entry.properties;
  }
  return {};
}
