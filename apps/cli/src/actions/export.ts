// drydock export: a rig's device models, offered to foreign hosts over a public protocol.

import { Random } from "@drydock/core/base/random";
import { UsbSpeed } from "@drydock/core/codec/usb/usb-speed";
import type { UsbDevicePort } from "@drydock/core/ports/usb-device";
import { serialRigEntry } from "@drydock/core/rigs/catalogue";
import { headsetClasses } from "@drydock/core/rigs/headset-entries";
import { UsbExportRig, type UsbExportRigOptions } from "@drydock/core/rigs/usb-export-rig";
import { HostClock } from "@drydock/node/host-clock";
import { hostTurn } from "@drydock/node/host-turn";
import { LiveRunner } from "@drydock/node/live-runner";
import type { Listener } from "@drydock/node/socket-stream";
import { listenUsbip } from "@drydock/node/usbip-listener";
import { listenUsbredir } from "@drydock/node/usbredir-sockets";
import type { ByteSize } from "../grammar/option-kind.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { type QuietLines, quietLines } from "../terminal/quiet-lines.ts";
import { hostPort, shellWord } from "../terminal/shell-word.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { identityOf } from "./disk.ts";
import { diskNameOf } from "./disk-files.ts";
import { endings } from "./endings.ts";
import { ExportedHeadset, type HeadsetFiles } from "./exported-headset.ts";
import { isLoopback, orSayTaken, reachableName } from "./listening.ts";
import { judgeBadBlocks, type QuirkOptions, quirksLine, quirkyUsbDisk } from "./quirky-disk.ts";
import { recordingFor, writeRecordings } from "./recording-files.ts";
import { defaultRig } from "./rig-list.ts";
import type { BusOptions } from "./rigs.ts";

export interface ExportOptions extends BusOptions, QuirkOptions, HeadsetFiles {
  /** Of a disk. */
  readonly size?: ByteSize;
  readonly host: string;
  readonly port: number;
  readonly noPacing: boolean;
  readonly for?: number;
  readonly json: boolean;
}

const highestPort = 65_535;
const diskBytes = 64 * 2 ** 20;
const blockBytes = 512;

/** A device that is exported: what it is called, and how it is made. */
interface ExportedDevice {
  readonly name: string;
  make(rig: UsbExportRig): UsbDevicePort;
  /** When nobody is served any more. */
  end?(io: CommandIo): void;
}

/** `diskSpeed`: what the protocol can carry all of. */
function devicesOf(options: ExportOptions, diskSpeed: UsbSpeed): readonly ExportedDevice[] {
  const { device, rig: entry = defaultRig } = options;
  if (options.hear !== undefined || options.out !== undefined) {
    const headset = new ExportedHeadset(options);
    const make = (rig: UsbExportRig) => headset.make(headsetClasses[entry.name], rig.scheduler);
    return [{ name: entry.devices[0], make, end: (io) => headset.write(io) }];
  }
  const diskName = diskNameOf(JSON.stringify([identityOf(options, entry.name), options.seed]));
  if (entry.name !== "disk") {
    const pacing = options.noPacing ? "none" : "real";
    const chosen =
      device.length > 0 ? serialRigEntry("devices", "devices of the command line", device) : entry;
    let models: readonly UsbDevicePort[] | null = null;
    return chosen.devices.map((name, index) => ({
      // Kinds are what people type; a row of the catalogue says it in words.
      name: chosen.serialDevices[index] ?? name,
      make: (rig) => {
        models ??= chosen.usbDevices({
          clock: rig.scheduler,
          random: rig.random.fork("device"),
          pacing,
          diskName,
        });
        return models[index];
      },
    }));
  }
  const units = [{ blockCount: Math.floor((options.size?.bytes ?? diskBytes) / blockBytes), ...diskName }];
  judgeBadBlocks(options, units);
  return [
    {
      name: `disk${quirksLine(options)}`,
      make: (rig) =>
        quirkyUsbDisk(options, diskSpeed, units, rig.scheduler, new Random(options.seed).fork("disk")),
    },
  ];
}

/** Runs until Ctrl-C or the end of `--for`. UsageError for wrong names; a taken port is a rig error that names it. */
export async function exportUsbip(options: ExportOptions, io: CommandIo): Promise<ExitCode> {
  // At SuperSpeed UAS is made of streams, and USB/IP has no word for them.
  const exportedDevices = devicesOf(options, UsbSpeed.high);
  const kinds = exportedDevices.map(({ name }) => name);
  const exported = new Set<string>();
  const lines = connectionLines(io);
  const rig = makeRig(options, {
    onEvent: lines.say,
    onExported: (busId) => {
      exported.add(busId);
      if (exported.size === kinds.length) ready();
    },
  });
  const runner = new LiveRunner(rig.scheduler);
  const listener = await orSayTaken(
    listenUsbip(rig.server, { host: options.host, port: options.port, steps: runner }),
    options,
  );
  const { port } = listener;
  let isTold = false;
  const ready = (): void => {
    if (isTold) return;
    isTold = true;
    const busIds = [...exported].sort();
    const extra = port === 3240 ? "" : `--tcp-port ${port} `;
    const reached = reachableName(options.host);
    io.say(`\n  on a Linux machine, as root:`);
    io.say(`    modprobe vhci-hcd`);
    io.say(`    usbip ${extra}list -r ${reached}`);
    for (const busId of busIds) io.say(`    usbip ${extra}attach -r ${reached} -b ${busId}`);
    io.say(
      `  with our own drivers:  drydock import usbip ${shellWord(hostPort(reached, port))} ${busIds[0]}`,
    );
    if (options.json) {
      io.document({ host: options.host, address: hostPort(reached, port), port, busIds }, "line");
    }
  };
  io.say(
    `drydock: ${kinds.join(", ")} on USB/IP, ${options.host} port ${port}, seed ${options.seed}; Ctrl-C ends`,
  );
  warnIfExposed(options.host, String(port), "USB/IP", io);
  return run(rig, runner, exportedDevices, options, io, async () => {
    rig.server.close();
    await listener.close();
    lines.end();
  });
}

/** As `exportUsbip`, with a port of its own for each device: usbredir has one device on one connection. */
export async function exportUsbredir(options: ExportOptions, io: CommandIo): Promise<ExitCode> {
  const exportedDevices = devicesOf(options, UsbSpeed.super);
  const kinds = exportedDevices.map(({ name }) => name);
  const { host, port: first } = options;
  if (first > 0 && first + kinds.length - 1 > highestPort) {
    throw new UsageError(
      `--port ${first}: ${kinds.length} devices take as many ports, the last one is ${highestPort}`,
    );
  }
  const rig = makeRig(options, {});
  const runner = new LiveRunner(rig.scheduler);
  const listeners: Listener[] = [];
  const closeAll = async (): Promise<void> => {
    for (const listener of listeners) await listener.close();
  };
  const offered = new Set<number>();
  const lines = connectionLines(io);
  const outlets = kinds.map((kind, index) =>
    rig.addUsbredir(index + 1, {
      onEvent: (text) => lines.say(`${kind}: ${text}`),
      onReady: () => {
        if (offered.size < kinds.length && offered.add(index).size === kinds.length) ready();
      },
    }),
  );
  try {
    for (const [index, outlet] of outlets.entries()) {
      const port = first === 0 ? 0 : first + index;
      listeners.push(await orSayTaken(listenUsbredir(outlet, { host, port, steps: runner }), { host, port }));
    }
  } catch (error) {
    await closeAll();
    throw error;
  }
  const devices = kinds.map((device, index) => {
    const { port } = listeners[index];
    return { device, port, qemu: qemuArguments(reachableName(host), port, index) };
  });
  const ready = (): void => {
    io.say("\n  arguments for any QEMU (usb-redir; Linux, Windows or macOS inside):");
    io.say("    -device qemu-xhci");
    for (const { device, qemu } of devices) io.say(`    ${qemu.join(" ")}    # ${device}`);
    if (options.json) io.document({ host, devices }, "line");
  };
  const ports = devices.map(({ port }) => port).join(", ");
  io.say(
    `drydock: ${kinds.join(", ")} on usbredir, ${host} port ${ports}, seed ${options.seed}; Ctrl-C ends`,
  );
  warnIfExposed(host, ports, "usbredir", io);
  return run(rig, runner, exportedDevices, options, io, async () => {
    for (const outlet of outlets) outlet.close();
    await closeAll();
    lines.end();
  });
}

/** What connections do, in a flood of them, too. */
function connectionLines(io: CommandIo): QuietLines {
  return quietLines((text) => io.event(`  ${text}`), new HostClock());
}

/** Without `nodelay` each small packet of QEMU's waits for the acknowledgement of the last, 40 ms and more. */
function qemuArguments(host: string, port: number, index: number): string[] {
  const id = `drydock${index + 1}`;
  return [
    "-chardev",
    `socket,id=${id},host=${host},port=${port},nodelay=on`,
    "-device",
    `usb-redir,chardev=${id},id=${id}-usb`,
  ];
}

function makeRig(
  options: ExportOptions,
  told: Pick<UsbExportRigOptions, "onEvent" | "onExported">,
): UsbExportRig {
  return new UsbExportRig({
    seed: options.seed,
    turn: hostTurn,
    timing: options.noPacing ? "none" : "bus",
    ...recordingFor(options),
    ...(options.fault.length > 0 ? { faults: { rules: options.fault } } : {}),
    ...told,
  });
}

function warnIfExposed(host: string, ports: string, protocol: string, io: CommandIo): void {
  if (isLoopback(host)) return;
  io.say(
    `drydock: warning: everybody who reaches ${hostPort(host, ports)} can use these devices; ${protocol} has no password and no encryption`,
  );
}

/** Plugs the devices in, connector by connector, and serves until it is ended. */
async function run(
  rig: UsbExportRig,
  runner: LiveRunner,
  devices: readonly ExportedDevice[],
  options: ExportOptions,
  io: CommandIo,
  close: () => Promise<void>,
): Promise<ExitCode> {
  let code: ExitCode = exitCodes.pass;
  try {
    const ending = endings(options.for, (how) => {
      code = exitCodes[how];
      void runner.stop();
    });
    devices.forEach((device, index) => {
      rig.usb.bus.plugIn(device.make(rig), index + 1);
    });
    await runner.start();
    ending.disarm();
  } finally {
    await close();
  }
  for (const device of devices) device.end?.(io);
  writeRecordings({ trace: rig.usb.trace }, options, io);
  return code;
}
