// Our USB drivers on QEMU's USB devices: its xHCI controller over qtest, our transport on it, no guest between.

import type { UsbRigParts } from "@drydock/core/rigs/usb-rig-doors";
import { withPciTrace } from "@drydock/core/trace/pci-trace";
import type { RamArena } from "@drydock/core/transports/qtest/ram-arena";
import { XhciHost } from "@drydock/core/transports/xhci/xhci-host";
import { type QemuRigOptions, type RigOnQemu, startRigOnQemu } from "./rig-on-qemu.ts";

export interface UsbOnQemuOptions<Rig extends UsbRigParts> extends QemuRigOptions {
  /** The rig in which the devices come up. Memory that the controller reaches without a copy is `hostMemory`. */
  readonly build: (hostMemory: RamArena) => Rig;
  /** `-device usb-kbd,bus=x.0` and what such devices need. */
  readonly devices: readonly string[];
  /** Default qemu-xhci; `nec-usb-xhci` has no streams. */
  readonly controller?: "qemu-xhci" | "nec-usb-xhci";
}

export interface UsbOnQemu<Rig extends UsbRigParts> extends RigOnQemu<Rig> {
  readonly host: XhciHost;
  /** What did not come up, what was refused, what the controller said that cannot be. */
  readonly problems: readonly string[];
}

/** The bus is `x.0`. Throws with what is missing when there is no QEMU to drive. */
export async function startUsbOnQemu<Rig extends UsbRigParts>(
  options: UsbOnQemuOptions<Rig>,
): Promise<UsbOnQemu<Rig>> {
  const controller = options.controller ?? "qemu-xhci";
  const ports = controller === "qemu-xhci" ? ",p2=8,p3=8" : "";
  let host: XhciHost | null = null;
  const problems: string[] = [];
  const on = await startRigOnQemu(
    options,
    ["-device", `${controller},id=x,addr=4${ports}`, ...options.devices],
    options.build,
    (rig, port, memory) => {
      const { machine, timeline, usb } = rig;
      const clock = machine.scheduler;
      host = new XhciHost({
        port: withPciTrace(port, { clock, timeline }),
        clock,
        memory,
        onAttach: (attached) => usb.attach(attached),
        onProblem: (reason) => problems.push(reason),
      });
    },
  );
  return { ...on, host: host as unknown as XhciHost, problems };
}
