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
export function recordingFor({ pcap, perfetto }: { readonly pcap?: unknown; readonly perfetto?: unknown }) {
  return pcap === undefined && perfetto === undefined
    ? { trace: false }
    : { trace: true, timeline: { maximumBytes: recordedBytes } };
}

/** What a run recorded, as files hold it, with how many rows. */
export interface Recordings {
  readonly pcap?: { readonly bytes: Uint8Array; readonly rows: number };
  readonly perfetto?: { readonly bytes: Uint8Array; readonly rows: number };
}

interface Recorded {
  readonly timeline?: Timeline | undefined;
  readonly trace: UsbTraceLog | null;
}

/** Of what was asked for, what there is. */
export function recordingsOf(
  { timeline, trace }: Recorded,
  wanted: { readonly pcap: boolean; readonly perfetto: boolean },
): Recordings {
  const whole = timeline ?? trace?.timeline;
  return {
    ...(wanted.pcap && trace !== null ? { pcap: { bytes: writeUsbPcapng(trace), rows: trace.count } } : {}),
    ...(wanted.perfetto && whole !== undefined
      ? {
          perfetto: {
            bytes: Buffer.concat([...perfettoParts(whole)].map((part) => Buffer.from(part))),
            rows: whole.kept(),
          },
        }
      : {}),
  };
}

export function saveRecordings(
  recordings: Recordings,
  { pcap, perfetto }: RecordingFiles,
  io: CommandIo,
): void {
  if (pcap !== undefined && recordings.pcap !== undefined) {
    pcap.write(recordings.pcap.bytes);
    io.say(`drydock: ${recordings.pcap.rows} rows of USB traffic written to ${shown(pcap.path)}`);
  }
  if (perfetto !== undefined && recordings.perfetto !== undefined) {
    perfetto.write(recordings.perfetto.bytes);
    io.say(`drydock: ${recordings.perfetto.rows} rows of the timeline written to ${shown(perfetto.path)}`);
  }
}

/** What was asked for, of what there is: nothing is written when no file was asked for. */
export function writeRecordings(recorded: Recorded, files: RecordingFiles, io: CommandIo): void {
  const wanted = { pcap: files.pcap !== undefined, perfetto: files.perfetto !== undefined };
  saveRecordings(recordingsOf(recorded, wanted), files, io);
}
