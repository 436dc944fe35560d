// drydock import: a device of a foreign USB/IP server, brought up by our drivers.

import { formatLogRow } from "@drydock/core/platform/log-text";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import { SerialRig } from "@drydock/core/rigs/serial-rig";
import { UsbipImporter } from "@drydock/core/transports/usbip/usbip-importer";
import { hostTurn } from "@drydock/node/host-turn";
import { LiveRunner } from "@drydock/node/live-runner";
import { connectSocket } from "@drydock/node/socket-stream";
import { exitCodes } from "./exit-codes.ts";
import { endings, LiveTerminals, liveLog, talk } from "./live-terminals.ts";
import { writePcap } from "./pcap-file.ts";
import { askUsbipServer, describeListed, parseUsbipAddress } from "./usbip-address.ts";

export interface ImportOptions {
  readonly seed: number;
  readonly platform: string;
  readonly pcap?: string;
  readonly link?: string;
  readonly for?: number;
  readonly json?: boolean;
}

/** A server that comes back is asked again after so long. */
const retryNs = 2_000_000_000;
/** How long a device may take to come up before that is said. */
const appearanceMs = 10_000;

/** Without a busid: what there is. With one: our drivers on it, until Ctrl-C. */
export async function importUsbip(
  server: string,
  busId: string | undefined,
  options: ImportOptions,
): Promise<void> {
  const address = parseUsbipAddress(server);
  const devices = await askUsbipServer(address);
  if (busId === undefined) {
    if (options.json === true) process.stdout.write(`${JSON.stringify(devices, null, 2)}\n`);
    else for (const entry of devices) process.stdout.write(`${describeListed(entry)}\n`);
    if (devices.length === 0) talk(`drydock: ${server} offers no device`);
    return;
  }
  if (!devices.some(({ device }) => device.busId === busId)) {
    const there = devices.map(({ device }) => device.busId).join(", ");
    throw new RangeError(`${server} has no ${busId}; it offers: ${there === "" ? "nothing" : there}`);
  }
  const rig = new SerialRig({
    seed: options.seed,
    turn: hostTurn,
    profile: platformProfile(options.platform),
    timing: "none",
    trace: options.pcap !== undefined,
    devices: [],
  });
  const { machine } = rig;
  const runner = new LiveRunner(machine.scheduler);
  let code: number = exitCodes.pass;
  const ending = endings(options.for, (how) => {
    code = exitCodes[how];
    importer.stop();
    void runner.stop();
  });
  const terminals = new LiveTerminals(machine, options);
  const importer = new UsbipImporter({
    clock: machine.scheduler,
    busId,
    retryNs,
    connect: () => connectSocket(address.host, address.port, machine.scheduler),
    onAttach: (port) => {
      talk(`drydock: ${busId} of ${server} is attached`);
      rig.usb.attach(port);
    },
    onProblem: (reason) => talk(`drydock: ${busId}: ${reason}; asked again in 2 s`),
  });
  const judging = setTimeout(() => {
    if (terminals.count > 0) return;
    talk("drydock: no driver has brought a port up yet. What was judged:");
    for (const report of machine.matchReports)
      talk(`  ${report.candidate.personalityName} on ${report.nub}: ${report.outcome}`);
    for (const failure of rig.family.failures) talk(`  ${failure.reason}`);
    for (const entry of machine.registry.entries()) talk(`  ${entry.path}`);
  }, appearanceMs);
  await runner.start(liveLog(machine, (row) => formatLogRow(row, "compact")));
  clearTimeout(judging);
  ending.disarm();
  terminals.close();
  writePcap(rig.usb.trace, options.pcap);
  if (machine.failure !== null) {
    talk(`drydock: ${machine.failure.kind}: ${machine.failure.text}`);
    code = exitCodes.rigError;
  }
  process.exitCode = code;
}
