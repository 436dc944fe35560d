// P10: an AX88772C on an iPhone: no driver may run there; on a Mac one may, and must keep its place in the stream.

import { Ax88772Device } from "@drydock/core/devices/ax88772/ax88772-device";
import { formatPlist } from "@drydock/core/platform/evidence/plist-text";
import { formatRegistryTree } from "@drydock/core/platform/evidence/registry-dump";
import { type PlatformProfile, platformProfile } from "@drydock/core/platform/platform-profile";
import type { EthernetPort } from "@drydock/core/ports/ethernet";
import { NetworkRig, networkBundles, networkRequestNames } from "@drydock/core/rigs/network-rig";
import type { DriverBundle } from "@drydock/core/runtime/driver-bundle";
import { FrameExchange, type FrameExchangeResult } from "@drydock/core/trials/frame-exchange";
import type { CaseOptions, CaseRun, DriverCase, Side } from "../driver-case.ts";
import { badEthernetBundle } from "./bad-driver.ts";
import { goodEthernetBundle } from "./good-driver.ts";

/** Header and frame are a packet of the bulk pipe. */
export const packetFrameBytes = 512 - 4;
const patienceNs = 3600e9;
/** From the cable to a driver that has its link. */
const bringUpNs = 5e9;

export interface AdapterOnPlatform {
  readonly rig: NetworkRig;
  /** Null: no interface came up. */
  readonly port: EthernetPort | null;
  /** What stood in the way of each candidate that matched. */
  readonly refusals: readonly string[];
}

/** Plugs an adapter into a machine of that platform, with the system's class drivers and `own`. */
export async function adapterOn(
  profile: PlatformProfile,
  adapter: "ax88772c" | "cdc-ncm",
  own: DriverBundle | null,
  options: CaseOptions,
): Promise<AdapterOnPlatform> {
  const system = networkBundles.filter(({ kind }) => kind === "kext");
  const rig = new NetworkRig({
    ...options,
    profile,
    devices: [adapter],
    bundles: own === null ? system : [...system, own],
  });
  await rig.machine.run(bringUpNs);
  return {
    rig,
    port: rig.interfaces[0] ?? null,
    refusals: rig.machine.matchReports
      .filter(({ candidate, outcome }) => candidate.verdict.matches && outcome !== "started")
      .map(({ outcome }) => outcome),
  };
}

export interface ExchangeRun {
  readonly rig: NetworkRig;
  readonly device: Ax88772Device;
  readonly exchange: FrameExchange;
  readonly result: FrameExchangeResult;
}

/** `frames` random frames both ways through a driver of the AX88772C on macOS; `largest` and `smallest` as sizes. */
export async function exchangeFrames(
  bundle: DriverBundle,
  options: CaseOptions,
  frames: number,
  sizes: { readonly smallest?: number; readonly largest?: number } = {},
  prepare: (device: Ax88772Device) => void = () => {},
): Promise<ExchangeRun> {
  let device: Ax88772Device | undefined;
  let exchange: FrameExchange | undefined;
  const rig: NetworkRig = new NetworkRig({
    ...options,
    profile: platformProfile("macos15"),
    timing: "none",
    timeline: { maximumBytes: 4 << 20 },
    adapters: (clock) => {
      device = new Ax88772Device({ clock });
      exchange = new FrameExchange({
        ...sizes,
        ...{ clock, frames },
        seed: options.seed,
        intoCable: { frame: (bytes, offset, length) => rig.cables[0].into.frame(bytes, offset, length) },
      });
      return [device];
    },
    farEnd: (): NonNullable<typeof exchange>["station"] => (exchange as FrameExchange).station,
    bundles: [bundle],
  });
  const made = { device: device as unknown as Ax88772Device, exchange: exchange as unknown as FrameExchange };
  const { scheduler } = rig.machine;
  await scheduler.run(bringUpNs, () => rig.interfaces.length > 0 && rig.interfaces[0].link.isUp);
  prepare(made.device);
  if (rig.interfaces[0] !== undefined) made.exchange.start(rig.interfaces[0]);
  await scheduler.run(patienceNs, () => made.exchange.isDone || scheduler.isStopped);
  return { ...made, rig, result: made.exchange.result() };
}

const runFrames = 200;

function tell({ device, result }: ExchangeRun): string {
  if (result.isWhole)
    return `on macOS all of ${result.out.sent} and ${result.in.sent} frames arrived as they were sent`;
  const held = device.observe().heldBytes;
  const waits = held === 0 ? "" : `; the chip holds ${held} bytes and waits for the end of a transfer`;
  return `on macOS ${result.in.received} of ${result.in.sent} frames came in and ${result.out.received} of ${result.out.sent} went out${waits}`;
}

async function run(side: Side, options: CaseOptions): Promise<CaseRun> {
  const isBad = side === "bad";
  const bundle = isBad ? badEthernetBundle : goodEthernetBundle;
  const profile = platformProfile("iphone");
  const phone = await adapterOn(profile, isBad ? "ax88772c" : "cdc-ncm", isBad ? bundle : null, options);
  const mac = await exchangeFrames(bundle, options, runFrames);
  const onPhone =
    phone.port === null
      ? `on an iPhone nothing takes the adapter: ${phone.refusals[0] ?? "no driver matches it"}`
      : `on an iPhone the NCM adapter is ${phone.port.name}`;
  return {
    succeeded: phone.port !== null && mac.result.isWhole,
    result: `${onPhone}; ${tell(mac)}`,
    trace: mac.rig.usb.trace,
    log: phone.rig.machine.log.show(),
    evidence: [
      { name: "ioreg.txt", text: formatRegistryTree(phone.rig.machine.registry.snapshot()) },
      { name: "device.txt", text: `Model Identifier: ${profile.modelCode}\n${profile.osVersion}\n` },
      ...(isBad ? [{ name: "Info.plist", text: driverPlist(bundle) }] : []),
    ],
  };
}

/** The dext's own, as a person would send it. */
function driverPlist(bundle: DriverBundle): string {
  return formatPlist({
    CFBundleIdentifier: bundle.identifier,
    CFBundlePackageType: "DEXT",
    CFBundleVersion: bundle.version,
    IOKitPersonalities: Object.fromEntries(
      Object.entries(bundle.personalities).filter(([name]) => name.endsWith("0b95_772b")),
    ),
    OSBundleUsageDescription: "Drives an Ethernet adapter.",
  });
}

export const ax88772IphoneCase: DriverCase = {
  id: "P10",
  title: "A USB network adapter on an iPhone",
  symptom:
    "An AX88772C adapter is no CDC-NCM device: an iPhone ignores it, and neither DriverKit nor IOKit nor External Accessory lets anybody drive it.",
  cause:
    "There are no driver extensions on iPhone; firmware that speaks NCM works there. On a Mac a driver may run, and has to follow frames across transfers and end them with the pad word.",
  describeRequests: networkRequestNames,
  run,
};
