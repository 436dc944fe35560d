// P04: the driver is not started, because its claim is not what the profile allows.

import { LoopbackDevice } from "@drydock/core/devices/loopback/loopback-device";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import { UsbRig } from "@drydock/core/rigs/usb-rig";
import type { DriverBundle } from "@drydock/core/runtime/driver-bundle";
import type { CaseOptions, CaseRun, DriverCase, Side } from "../driver-case.ts";
import { samplePart, signedFiles } from "../signing-sample.ts";
import { badUsbBundle } from "./bad-driver.ts";
import { goodUsbBundle } from "./good-driver.ts";

/** A device of the vendor on connector 1, one of somebody else on connector 2. */
export async function plugBoth(
  bundle: DriverBundle,
  options: CaseOptions,
): Promise<{ readonly rig: UsbRig; readonly attachedVendors: readonly number[] }> {
  const rig = new UsbRig({ ...options, profile: platformProfile("macos15") });
  rig.machine.install(bundle);
  rig.usb.bus.plugIn(new LoopbackDevice({ idVendor: 0x054c, idProduct: 2 }));
  rig.usb.bus.plugIn(new LoopbackDevice({ idVendor: 0x0403, idProduct: 2 }));
  await rig.machine.run();
  const attachedVendors = rig.machine.registry
    .byClass("VendorDriver")
    .map((service) => Number(service.provider?.searchProperty("idVendor")));
  return { rig, attachedVendors };
}

async function run(side: Side, options: CaseOptions): Promise<CaseRun> {
  const bundle = side === "bad" ? badUsbBundle : goodUsbBundle;
  const { rig, attachedVendors } = await plugBoth(bundle, options);
  const outcome = rig.machine.matchReports.find(
    ({ candidate }) => candidate.personalityName === "Own" && candidate.verdict.matches,
  )?.outcome;
  return {
    succeeded: attachedVendors.includes(0x054c),
    result:
      outcome === "started" ? "the driver started on the vendor's device" : (outcome ?? "nothing matched"),
    trace: null,
    log: rig.machine.log.show(),
    evidence: signedFiles(
      samplePart("dext", bundle.entitlements, bundle.profileEntitlements ?? {}, {
        bundleIdentifier: bundle.identifier,
        teamIdentifier: bundle.teamIdentifier,
      }),
      { info: { IOKitPersonalities: bundle.personalities } },
    ),
  };
}

export const transportUsbCase: DriverCase = {
  id: "P04",
  title: "Unsatisfied entitlements: driverkit.transport.usb",
  symptom:
    "taskgated-helper says that com.apple.developer.driverkit.transport.usb is unsatisfied; the driver never starts.",
  cause:
    "The claim is an array with the vendor's number; the profile of the development capability holds a wildcard, which a number does not equal.",
  describeRequests: [],
  run,
};
