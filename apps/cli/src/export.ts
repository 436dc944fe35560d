// drydock export: a rig's device models, offered to foreign hosts over a public protocol.

import { parseUsbFaultRule } from "@drydock/core/faults/usb-faults";
import { makeSerialDevice } from "@drydock/core/rigs/serial-rig";
import { UsbExportRig } from "@drydock/core/rigs/usb-export-rig";
import { hostTurn } from "@drydock/node/host-turn";
import { LiveRunner } from "@drydock/node/live-runner";
import { listenUsbip } from "@drydock/node/usbip-listener";
import { exitCodes } from "./exit-codes.ts";
import { endings, talk } from "./live-terminals.ts";
import { writePcap } from "./pcap-file.ts";
import { type RigOptions, rigDevices } from "./rigs.ts";

export interface ExportOptions extends RigOptions {
  readonly host: string;
  readonly port: number;
  readonly pacing: boolean;
  readonly for?: number;
  readonly json?: boolean;
}

const loopback = /^(127\.|localhost$|::1$)/;

/** Runs until Ctrl-C or the end of `--for`. RangeError for wrong names; a taken port is a rig error that names it. */
export async function exportUsbip(name: string | undefined, options: ExportOptions): Promise<void> {
  const kinds = rigDevices(name, options.device);
  const faults = options.fault.map(parseUsbFaultRule);
  const isPaced = options.pacing;
  const exported = new Set<string>();
  const rig = new UsbExportRig({
    seed: options.seed,
    turn: hostTurn,
    timing: isPaced ? "bus" : "none",
    trace: options.pcap !== undefined,
    ...(faults.length > 0 ? { faults: { rules: faults } } : {}),
    onEvent: (text) => talk(`  ${text}`),
    onExported: (busId) => {
      exported.add(busId);
      if (exported.size === kinds.length) ready();
    },
  });
  const listener = await listenUsbip(rig.server, {
    host: options.host,
    port: options.port,
    steps: rig.scheduler,
  });
  const { port } = listener;
  let isTold = false;
  const ready = (): void => {
    if (isTold) return;
    isTold = true;
    const busIds = [...exported].sort();
    const extra = port === 3240 ? "" : `--tcp-port ${port} `;
    talk(`\n  on a Linux machine, as root:`);
    talk(`    modprobe vhci-hcd`);
    talk(`    usbip ${extra}list -r ${options.host}`);
    for (const busId of busIds) talk(`    usbip ${extra}attach -r ${options.host} -b ${busId}`);
    talk(`  with our own drivers:  drydock import usbip ${options.host}:${port} ${busIds[0]}`);
    if (options.json === true) {
      process.stdout.write(`${JSON.stringify({ host: options.host, port, busIds })}\n`);
    }
  };
  talk(
    `drydock: ${kinds.join(", ")} on USB/IP, ${options.host} port ${port}, seed ${options.seed}; Ctrl-C ends`,
  );
  if (!loopback.test(options.host)) {
    talk(
      `drydock: warning: everybody who reaches ${options.host}:${port} can use these devices; USB/IP has no password and no encryption`,
    );
  }
  kinds.forEach((kind, index) => {
    const device = makeSerialDevice(kind, { clock: rig.scheduler, pacing: isPaced ? "baud" : "none" });
    rig.bus.plugIn(device, index + 1);
  });
  const runner = new LiveRunner(rig.scheduler);
  let code: number = exitCodes.pass;
  const ending = endings(options.for, (how) => {
    code = exitCodes[how];
    void runner.stop();
  });
  await runner.start();
  ending.disarm();
  rig.server.close();
  await listener.close();
  writePcap(rig.trace, options.pcap);
  process.exitCode = code;
}
