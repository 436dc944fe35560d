// --pcap: the rig's USB traffic as a file that Wireshark opens.

import { shown } from "@drydock/core/base/shown-text";
import { writeUsbPcapng } from "@drydock/core/trace/usb-pcapng";
import type { UsbTraceLog } from "@drydock/core/trace/usb-trace-log";
import type { OutputFile } from "../grammar/output-paths.ts";
import type { CommandIo } from "../terminal/command-io.ts";

/** Nothing is written when no file was asked for. */
export function writePcap(trace: UsbTraceLog | null, file: OutputFile | undefined, io: CommandIo): void {
  if (file === undefined || trace === null) return;
  file.write(writeUsbPcapng(trace));
  io.say(`drydock: ${trace.count} rows of USB traffic written to ${shown(file.path)}`);
}
