// --pcap: the rig's USB traffic as a file that Wireshark opens.

import { writeFileSync } from "node:fs";
import { writeUsbPcapng } from "@drydock/core/trace/usb-pcapng";
import type { UsbTraceLog } from "@drydock/core/trace/usb-trace-log";

/** Nothing is written when no file was asked for. */
export function writePcap(trace: UsbTraceLog | null, file: string | undefined): void {
  if (file === undefined || trace === null) return;
  writeFileSync(file, writeUsbPcapng(trace));
  process.stderr.write(`drydock: ${trace.count} rows of USB traffic written to ${file}\n`);
}
