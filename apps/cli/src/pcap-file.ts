// --pcap: the rig's USB traffic as a file that Wireshark opens.

import { writeFileSync } from "node:fs";
import type { UsbRig } from "@drydock/core/rigs/usb-rig";
import { writeUsbPcapng } from "@drydock/core/trace/usb-pcapng";

/** Nothing is written when no file was asked for. */
export function writePcap(rig: UsbRig, file: string | undefined): void {
  if (file === undefined) return;
  writeFileSync(file, writeUsbPcapng(rig.trace));
  process.stderr.write(`drydock: ${rig.trace.count} rows of USB traffic written to ${file}\n`);
}
