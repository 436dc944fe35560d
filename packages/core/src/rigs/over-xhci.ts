// Devices of a bus that reach the machine through xHCI: our model of a controller, our transport on it.

import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import { XhciDevice, type XhciDeviceOptions } from "../devices/xhci/xhci-device.ts";
import type { PciHostPort } from "../ports/pci-host.ts";
import type { UsbHostPort } from "../ports/usb-host.ts";
import { SimIommu } from "../transports/sim/iommu.ts";
import { SimPciBus } from "../transports/sim/pci-bus.ts";
import { XhciHost } from "../transports/xhci/xhci-host.ts";
import type { UsbPath } from "./usb-rig.ts";

export interface SimXhciOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Told of each device that has come through the controller. */
  readonly onAttach: (port: UsbHostPort) => void;
  readonly onProblem?: (reason: string) => void;
  readonly device?: Omit<XhciDeviceOptions, "clock" | "random">;
  readonly timing?: "bus" | "none";
  /** Between the transport and the slot: a trace, a fault. */
  readonly wrap?: (port: PciHostPort) => PciHostPort;
}

/** A controller in slot 1 of a PCI bus of its own, with the transport that drives it. */
export class SimXhci {
  readonly controller: XhciDevice;
  readonly pci: SimPciBus;
  readonly iommu: SimIommu;
  readonly problems: string[] = [];
  /** Of the newest attachment of the controller; null before the first. */
  host: XhciHost | null = null;

  constructor(options: SimXhciOptions) {
    const { clock, random } = options;
    this.controller = new XhciDevice({ clock, random: random.fork("xhci"), ...options.device });
    this.iommu = new SimIommu({ clock, pageBytes: 4096 });
    this.pci = new SimPciBus({
      clock,
      random: random.fork("xhci-pci"),
      iommu: this.iommu,
      timing: options.timing ?? "bus",
    });
    this.pci.onAttach((port) => {
      this.host = new XhciHost({
        port: options.wrap?.(port) ?? port,
        clock,
        onAttach: options.onAttach,
        onProblem: (reason) => {
          this.problems.push(reason);
          if (this.problems.length > 1000) this.problems.shift();
          options.onProblem?.(reason);
        },
      });
    });
    this.pci.plugIn(this.controller, 1);
  }

  /** A device of a bus sits in a root port from now on. */
  attach(port: UsbHostPort): void {
    if (!this.controller.attach(port)) this.problems.push("no root port of its kind is free");
  }
}

/** Every device of the bus goes through a controller. */
export const overXhci: UsbPath = (machine, attach) => {
  const xhci = new SimXhci({
    clock: machine.scheduler,
    random: machine.random.fork("over-xhci"),
    onAttach: attach,
    onProblem: (reason) => machine.log.remark(`xHCI: ${reason}`, "error"),
  });
  return (port) => xhci.attach(port);
};
