// P13: an FTDI chip on an iPad: the system's driver keeps it to itself, and an own driver must read packets.

import { describeFtdiRequest } from "@drydock/core/codec/ftdi/ftdi";
import { FtdiDevice } from "@drydock/core/devices/ftdi/ftdi-device";
import { ftdiBundle } from "@drydock/core/drivers/ftdi/ftdi-driver";
import { installSerialFamily } from "@drydock/core/families/serial/io-serial-bsd-client";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import type { Properties } from "@drydock/core/platform/properties";
import { UsbRig } from "@drydock/core/rigs/usb-rig";
import type { DriverBundle } from "@drydock/core/runtime/driver-bundle";
import type { Process } from "@drydock/core/runtime/process";
import type { CaseOptions, CaseRun, DriverCase, Side } from "../driver-case.ts";
import { badBridgeBundle } from "./bad-driver.ts";
import { bridgeSelector } from "./bridge-driver.ts";
import { goodBridgeBundle } from "./good-driver.ts";

export const appEntitlement: Properties = { "com.apple.developer.driverkit.communicates-with-drivers": true };

/** The driver that the system ships: same chip, one point below any vendor's personality, and deferred. */
export const systemFtdiBundle: DriverBundle = {
  ...ftdiBundle,
  identifier: "com.apple.DriverKit-AppleUSBFTDI",
  teamIdentifier: "APPLE",
  personalities: Object.fromEntries(
    Object.entries(ftdiBundle.personalities).map(([name, personality]) => [
      name,
      {
        ...personality,
        CFBundleIdentifier: "com.apple.DriverKit-AppleUSBFTDI",
        IOUserServerName: "com.apple.DriverKit-AppleUSBFTDI",
        IOProbeScore: -1,
        IOMatchDefer: true,
      },
    ]),
  ),
};

export interface IpadBench {
  readonly rig: UsbRig;
  readonly app: Process;
}

/** An iPad with the system's driver, the given one, and an app. */
export async function ipadBench(
  options: CaseOptions,
  own: { bundle: DriverBundle; enabled: boolean } | null,
  appEntitlements: Properties = appEntitlement,
  appTeam = "CASE000013",
): Promise<IpadBench> {
  const rig = new UsbRig({
    ...options,
    profile: platformProfile("ipados"),
    describeRequests: [describeFtdiRequest],
  });
  installSerialFamily(rig.machine);
  rig.machine.install(systemFtdiBundle);
  if (own !== null) rig.machine.install(own.bundle, { enabled: own.enabled });
  rig.usb.bus.plugIn(new FtdiDevice({ clock: rig.machine.scheduler, chip: "ft232r" }));
  const app = rig.machine.launchApplication({
    name: "PadApp",
    teamIdentifier: appTeam,
    entitlements: appEntitlements,
  });
  await rig.machine.run(3e9);
  return { rig, app };
}

/** Sends `length` bytes round the loop-back plug at `baudRate` and answers what came back. */
export async function sendAround(bench: IpadBench, baudRate: number, data: Uint8Array): Promise<Uint8Array> {
  const { rig, app } = bench;
  const { machine } = rig;
  const service = machine.registry.byClass("FtdiBridge")[0];
  if (service === undefined) throw new Error(`no FtdiBridge: ${machine.matchReports.at(-1)?.outcome}`);
  const back: number[] = [];
  await machine.perform(async () => {
    const connection = await machine.openUserClient(app, service);
    await connection.call(bridgeSelector.setBaud, { scalarInput: [baudRate] });
    let sent = 0;
    let idle = 0;
    while (back.length < data.length && idle < 50) {
      if (sent < data.length) {
        const chunk = data.subarray(sent, sent + 4096);
        sent +=
          (await connection.call(bridgeSelector.write, { structureInput: chunk, scalarOutputCount: 1 }))
            .scalarOutput[0] ?? 0;
      }
      const { structureOutput } = await connection.call(bridgeSelector.read, { structureOutputSize: 4096 });
      for (const byte of structureOutput) back.push(byte);
      idle = structureOutput.length === 0 ? idle + 1 : 0;
      await machine.scheduler.sleep(20_000_000);
    }
    connection.close();
  }, app);
  return Uint8Array.from(back);
}

/** Bytes that repeat late, so that a shift shows at once. */
export function pattern(length: number): Uint8Array {
  return new Uint8Array(length).map((_, index) => (index * 31 + (index >> 8)) & 0xff);
}

/** Index of the first byte that differs; -1 when equal. */
export function firstWrongByte(sent: Uint8Array, received: Uint8Array): number {
  for (let index = 0; index < Math.max(sent.length, received.length); index++) {
    if (sent[index] !== received[index]) return index;
  }
  return -1;
}

async function run(side: Side, options: CaseOptions): Promise<CaseRun> {
  const bundle = side === "bad" ? badBridgeBundle : goodBridgeBundle;
  const bench = await ipadBench(options, { bundle, enabled: true });
  const data = pattern(10 * 1024);
  const wrong = firstWrongByte(data, await sendAround(bench, 115200, data));
  return {
    succeeded: wrong === -1,
    result:
      wrong === -1 ? "10 KiB came back as they were sent" : `10 KiB came back corrupt from byte ${wrong} on`,
    trace: bench.rig.usb.trace,
    timeline: bench.rig.timeline,
    log: bench.rig.machine.log.show(),
  };
}

export const ftdiIpadCase: DriverCase = {
  id: "P13",
  title: "FTDI serial on an iPad",
  symptom:
    "The chip works on macOS; on iPadOS the sandbox hides the system's port, and an own driver delivers garbage.",
  cause:
    "The system's driver owns the chip and no entitlement shows it; an own driver must strip two status bytes per packet.",
  describeRequests: [describeFtdiRequest],
  run,
};
