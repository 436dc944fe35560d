// --pcap and --perfetto: what a rig recorded, as a file that Wireshark or Perfetto's viewer opens.

import { shown } from "@drydock/core/base/shown-text";
import { perfettoParts } from "@drydock/core/trace/perfetto";
import type { Timeline } from "@drydock/core/trace/timeline";
import { writeUsbPcapng } from "@drydock/core/trace/usb-pcapng";
import type { UsbTraceLog } from "@drydock/core/trace/usb-trace-log";
import type { OutputFile } from "../grammar/output-paths.ts";
import type { CommandIo } from "../terminal/command-io.ts";

/** The two options, as a command has them. */
export interface RecordingFiles {
  readonly pcap?: OutputFile | undefined;
  readonly perfetto?: OutputFile | undefined;
}

/** A file is wanted for the whole story; a timeline that is only looked at keeps less (`Timeline`). */
const recordedBytes = 256 << 20;

/** What the rig is told: it records only when somebody wants a file. */
export function recordingFor({ pcap, perfetto }: RecordingFiles) {
  return pcap === undefined && perfetto === undefined
    ? { trace: false }
    : { trace: true, timeline: { maximumBytes: recordedBytes } };
}

/** What was asked for, of what there is: nothing is written when no file was asked for. */
export function writeRecordings(
  { timeline, trace }: { readonly timeline?: Timeline | undefined; readonly trace: UsbTraceLog | null },
  { pcap, perfetto }: RecordingFiles,
  io: CommandIo,
): void {
  if (pcap !== undefined && trace !== null) {
    pcap.write(writeUsbPcapng(trace));
    io.say(`drydock: ${trace.count} rows of USB traffic written to ${shown(pcap.path)}`);
  }
  const whole = timeline ?? trace?.timeline;
  if (perfetto !== undefined && whole !== undefined) {
    perfetto.write(Buffer.concat([...perfettoParts(whole)].map((part) => Buffer.from(part))));
    io.say(`drydock: ${whole.kept()} rows of the timeline written to ${shown(perfetto.path)}`);
  }
}
