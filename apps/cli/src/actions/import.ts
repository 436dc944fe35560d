// drydock import: a device of a foreign USB/IP server, brought up by our drivers.

import { shown } from "@drydock/core/base/shown-text";
import { formatMac } from "@drydock/core/codec/ethernet/ethernet";
import { IOMedia } from "@drydock/core/families/block/io-media";
import type { HidInput } from "@drydock/core/families/hid/hid-family";
import { IOEthernetInterface } from "@drydock/core/families/network/io-ethernet-interface";
import { formatLogRow } from "@drydock/core/platform/log-text";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import { AnyUsbRig } from "@drydock/core/rigs/any-usb-rig";
import { UsbipImporter } from "@drydock/core/transports/usbip/usbip-importer";
import { hostTurn } from "@drydock/node/host-turn";
import { LiveRunner } from "@drydock/node/live-runner";
import { connectSocket } from "@drydock/node/socket-stream";
import type { OutputFile } from "../grammar/output-paths.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { endings } from "./endings.ts";
import { LiveTerminals, liveLog } from "./live-terminals.ts";
import { recordingFor, writeRecordings } from "./recording-files.ts";
import { askUsbipServer, describeListed, type UsbipAddress } from "./usbip-address.ts";

export interface ImportOptions {
  readonly seed: number;
  readonly server: UsbipAddress;
  readonly busId?: string;
  readonly platform: string;
  readonly pcap?: OutputFile;
  readonly perfetto?: OutputFile;
  readonly link?: string;
  readonly for?: number;
  readonly json: boolean;
}

/** Says what an input does, an event a line. */
function listen(input: HidInput, io: CommandIo): void {
  io.say("\n  input     its events follow");
  input.open({
    event: (event) => io.event(`  ${JSON.stringify(event)}`),
    gone: () => io.say("  the input is gone"),
  });
}

/** A server that comes back is asked again after so long. */
const retryNs = 2_000_000_000;
/** How long a device may take to come up before that is said. */
const appearanceMs = 10_000;

/** Without a busid: what there is. With one: our drivers on it, until Ctrl-C. */
export async function importUsbip(options: ImportOptions, io: CommandIo): Promise<ExitCode> {
  const { server: address, busId } = options;
  const server = address.text;
  const devices = await askUsbipServer(address);
  if (busId === undefined) {
    if (options.json) io.document(devices);
    else for (const entry of devices) io.print(`${describeListed(entry)}\n`);
    if (devices.length === 0) io.say(`drydock: ${server} offers no device`);
    return exitCodes.pass;
  }
  if (!devices.some(({ device }) => device.busId === busId)) {
    const there = devices.map(({ device }) => shown(device.busId)).join(", ");
    throw new UsageError(`${server} has no ${busId}; it offers: ${there === "" ? "nothing" : there}`);
  }
  /** Disks, inputs and interfaces; terminals count themselves. */
  let broughtUp = 0;
  const rig = new AnyUsbRig({
    seed: options.seed,
    turn: hostTurn,
    profile: platformProfile(options.platform),
    timing: "none",
    ...recordingFor(options),
    onInput: (input) => {
      broughtUp++;
      listen(input, io);
    },
  });
  const { machine } = rig;
  machine.onRegistered((service) => {
    if (service instanceof IOEthernetInterface) {
      broughtUp++;
      const address = formatMac(service.macAddress);
      io.say(`\n  interface ${service.name} (${address}); no command joins an imported interface yet`);
    }
    if (!(service instanceof IOMedia)) return;
    broughtUp++;
    const { blockBytes, blockCount } = service.geometry;
    io.say(
      `\n  disk      ${blockCount} blocks of ${blockBytes} bytes; no command serves an imported disk yet`,
    );
  });
  const runner = new LiveRunner(machine.scheduler);
  let code: ExitCode = exitCodes.pass;
  const ending = endings(options.for, (how) => {
    code = exitCodes[how];
    importer.stop();
    void runner.stop();
  });
  const terminals = new LiveTerminals(machine, options, io);
  const importer = new UsbipImporter({
    clock: machine.scheduler,
    busId,
    retryNs,
    connect: () => connectSocket(address.host, address.port, machine.scheduler),
    onAttach: (port) => {
      io.event(`drydock: ${busId} of ${server} is attached`);
      rig.usb.attach(port);
    },
    onProblem: (reason) => io.event(`drydock: ${busId}: ${reason}; asked again in 2 s`),
  });
  const judging = setTimeout(() => {
    if (terminals.count > 0 || broughtUp > 0) return;
    io.say("drydock: no driver has brought anything up yet. What was judged:");
    for (const report of machine.matchReports)
      io.event(`  ${report.candidate.personalityName} on ${report.nub}: ${report.outcome}`);
    for (const failure of rig.family.failures) io.event(`  ${failure.reason}`);
    for (const entry of machine.registry.entries()) io.event(`  ${entry.path}`);
  }, appearanceMs);
  await runner.start(liveLog(machine, io, (row) => formatLogRow(row, "compact")));
  clearTimeout(judging);
  ending.disarm();
  terminals.close();
  writeRecordings({ timeline: rig.timeline, trace: rig.usb.trace }, options, io);
  if (machine.failure !== null) {
    io.event(`drydock: ${machine.failure.kind}: ${machine.failure.text}`);
    code = exitCodes.rigError;
  }
  return code;
}
