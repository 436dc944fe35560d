// P02: SET_LINE_CODING fails with 0xe0005000, and the buffer is not what it seems.

import { formatReturn, returnName } from "@drydock/core/base/io-return";
import { describeCdcRequest } from "@drydock/core/codec/cdc/cdc";
import { CdcAcmDevice } from "@drydock/core/devices/cdc-acm/cdc-acm-device";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import { isDictionary, type Properties } from "@drydock/core/platform/properties";
import { UsbRig } from "@drydock/core/rigs/usb-rig";
import type { DriverBundle } from "@drydock/core/runtime/driver-bundle";
import type { CaseOptions, CaseRun, DriverCase, Side } from "../driver-case.ts";
import { badLineCodingBundle } from "./bad-driver.ts";
import { goodLineCodingBundle } from "./good-driver.ts";
import type { RequestResult } from "./line-coding-driver.ts";

/** Everything a test may want to know about one run. */
export interface LineCodingRun {
  readonly rig: UsbRig;
  readonly device: CdcAcmDevice;
  /** The driver's published results; empty when it crashed. */
  readonly properties: Properties;
}

/** Plugs a CDC ACM device in and lets `bundle` bring it up. `capabilities`: bmCapabilities of the device. */
export async function runLineCoding(
  bundle: DriverBundle,
  options: CaseOptions,
  capabilities?: number,
): Promise<LineCodingRun> {
  const rig = new UsbRig({
    ...options,
    profile: platformProfile("macos15"),
    describeRequests: [describeCdcRequest],
  });
  const device = new CdcAcmDevice({
    clock: rig.machine.scheduler,
    ...(capabilities === undefined ? {} : { capabilities }),
  });
  rig.machine.install(bundle);
  rig.usb.bus.plugIn(device);
  await rig.machine.run(2e9);
  const driver = rig.machine.registry.byClass("P02Driver")[0];
  return { rig, device, properties: driver?.copyProperties() ?? {} };
}

/** A request's published result. */
export function resultOf(properties: Properties, name: string): RequestResult | null {
  const value = properties[name];
  if (!isDictionary(value)) return null;
  return { status: Number(value.status), bytes: Number(value.bytes) };
}

/** What a run came to, whatever language its driver is written in. */
export function judgeLineCoding({ rig, properties }: LineCodingRun): CaseRun {
  const result = resultOf(properties, "SetLineCoding");
  const succeeded = result?.status === 0;
  const text =
    result === null
      ? `the driver did not get as far as SET_LINE_CODING: ${rig.machine.crashes[0]?.text ?? "it did not start"}`
      : `SET_LINE_CODING: ${returnName(result.status)} (${formatReturn(result.status)}), ${result.bytes} bytes transferred`;
  return { succeeded, result: text, trace: rig.usb.trace, log: rig.machine.log.show() };
}

async function run(side: Side, options: CaseOptions): Promise<CaseRun> {
  return judgeLineCoding(
    await runLineCoding(side === "bad" ? badLineCodingBundle : goodLineCodingBundle, options),
  );
}

export const setLineCodingCase: DriverCase = {
  id: "P02",
  title: "SET_LINE_CODING fails with 0xe0005000",
  symptom: "DeviceRequest answers 0xe0005000 with 0 bytes, while requests without data succeed.",
  cause:
    "memcpy(&ptr, ...) fills the variable that holds the address; the device gets seven zeros and refuses them.",
  describeRequests: [describeCdcRequest],
  run,
};
