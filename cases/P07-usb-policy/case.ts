// P07: a company wants to block USB devices. A driver with a list does not; a policy over descriptors does.

import type { UsbPolicy } from "@drydock/core/codec/usb-policy/usb-policy";
import { HidKeyboardDevice } from "@drydock/core/devices/hid-keyboard/hid-keyboard-device";
import { massStorageBundle } from "@drydock/core/drivers/mass-storage/mass-storage-driver";
import { usbHidBundle } from "@drydock/core/drivers/usb-hid/usb-hid-driver";
import { installHidFamily } from "@drydock/core/families/hid/hid-family";
import { ScsiFamily } from "@drydock/core/families/scsi/scsi-family";
import { formatPlist } from "@drydock/core/platform/evidence/plist-text";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import { UsbPolicyEngine } from "@drydock/core/platform/usb-policy";
import { HidListener } from "@drydock/core/rigs/hid-rig";
import { UsbRig } from "@drydock/core/rigs/usb-rig";
import type { DriverBundle } from "@drydock/core/runtime/driver-bundle";
import { type GateReport, withUsbPolicy } from "@drydock/core/runtime/usb-policy-gate";
import { usbArrivals } from "@drydock/core/trace/usb-arrivals";
import type { CaseOptions, CaseRun, DriverCase, Side } from "../driver-case.ts";
import { blockerBundle } from "./bad-driver.ts";
import { flashDrive, ids, readerBundle, unknownStick } from "./devices.ts";
import { denyEverything } from "./good-driver.ts";

export interface PolicyBenchOptions extends CaseOptions {
  readonly policy?: UsbPolicy;
  /** Default before-drivers. */
  readonly moment?: "before-drivers" | "capture";
  readonly windowNs?: number;
  /** Drivers beside the system's own. */
  readonly bundles?: readonly DriverBundle[];
}

/** A desk with the system's drivers for disks and keyboards, readers for the other kinds, and a policy in front of all. */
export class PolicyBench {
  readonly rig: UsbRig;
  readonly scsi: ScsiFamily;
  /** For whoever plugs it in. */
  readonly keyboard: HidKeyboardDevice;
  readonly #gates: (() => GateReport)[] = [];

  constructor(options: PolicyBenchOptions) {
    const { policy } = options;
    const engine = policy === undefined ? null : new UsbPolicyEngine(policy);
    this.rig = new UsbRig({
      seed: options.seed,
      turn: options.turn,
      profile: platformProfile("open"),
      guard: (port) => {
        if (engine === null) return port;
        const gate = withUsbPolicy(port, {
          clock: this.rig.machine.scheduler,
          engine,
          moment: options.moment ?? "before-drivers",
          ...(options.windowNs === undefined ? {} : { windowNs: options.windowNs }),
        });
        this.#gates.push(gate.report);
        return gate.port;
      },
    });
    const { machine } = this.rig;
    this.scsi = new ScsiFamily(machine);
    this.keyboard = new HidKeyboardDevice({ clock: machine.scheduler });
    installHidFamily(machine, (input) => input.open(new HidListener()));
    for (const bundle of [
      massStorageBundle("by-speed"),
      usbHidBundle,
      readerBundle,
      ...(options.bundles ?? []),
    ])
      machine.install(bundle);
  }

  /** In order of arrival. */
  get reports(): GateReport[] {
    return this.#gates.map((report) => report());
  }

  /** Bytes outside of enumeration, of all devices together. */
  get dataBytes(): number {
    return usbArrivals(this.rig.usb.trace).reduce(
      (sum, { data }) => sum + data.reduce((bytes, transfer) => bytes + transfer.bytes, 0),
      0,
    );
  }

  drive(identity: Parameters<typeof flashDrive>[1], transport: "bulk-only" | "uas") {
    const { machine } = this.rig;
    return flashDrive(
      { clock: machine.scheduler, random: machine.random.fork(identity.product) },
      identity,
      transport,
    );
  }

  async run(seconds: number): Promise<void> {
    const { scheduler } = this.rig.machine;
    await this.rig.machine.run(scheduler.nowNs() + seconds * 1e9);
  }
}

/** What the person has while developing: it matches every vendor, and cannot be distributed. */
const developmentEntitlements = {
  ...blockerBundle.entitlements,
  "com.apple.developer.driverkit.transport.usb": [{ idVendor: "*" }],
};

async function run(side: Side, options: CaseOptions): Promise<CaseRun> {
  const bench = new PolicyBench(
    side === "bad" ? { ...options, bundles: [blockerBundle] } : { ...options, policy: denyEverything },
  );
  bench.rig.usb.bus.plugIn(bench.drive(ids.stick, "bulk-only"));
  bench.rig.usb.bus.plugIn(bench.drive(unknownStick, "bulk-only"));
  await bench.run(3);
  const disks = bench.scsi.media.length;
  return {
    succeeded: bench.dataBytes === 0,
    result: `${bench.dataBytes} bytes moved outside of enumeration; ${disks === 0 ? "no disk" : `${disks} disk`} came up`,
    trace: bench.rig.usb.trace,
    log: bench.rig.machine.log.show(),
    // The policy is no driver, and has none of its own.
    evidence:
      side === "bad" ? [{ name: "Blocker.entitlements", text: formatPlist(developmentEntitlements) }] : [],
  };
}

export const usbPolicyCase: DriverCase = {
  id: "P07",
  title: "blocking USB devices",
  symptom:
    "A driver extension that shall block USB devices blocks those on its list and lets every other one through.",
  cause:
    "Matching needs concrete ids, and a driver competes for a device, it does not veto others: what is not on the list has its usual driver.",
  describeRequests: [],
  run,
};
