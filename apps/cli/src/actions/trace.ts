// drydock trace: a USB capture, ours or anybody's, as lines; or as a timeline for Perfetto's viewer.

import { serialRequestNames } from "@drydock/core/rigs/serial-rig";
import { readableLinkTypes } from "@drydock/core/trace/usb-pcapng";
import { formatTrace, traceLines } from "@drydock/core/trace/usb-text";
import type { InputFile } from "../grammar/input-paths.ts";
import type { OutputFile } from "../grammar/output-paths.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { readCapture } from "./capture.ts";
import { writeRecordings } from "./recording-files.ts";

export function printTrace(
  options: {
    readonly file: InputFile;
    readonly control: boolean;
    readonly bytes: number;
    readonly json: boolean;
    readonly perfetto?: OutputFile;
  },
  io: CommandIo,
): ExitCode {
  const { log, skipped } = readCapture(options.file.bytes(), options.file.label);
  const text = {
    describeRequests: serialRequestNames,
    dataBytes: options.bytes,
    controlOnly: options.control,
  };
  if (options.json) io.document(traceLines(log, text));
  else io.print(formatTrace(log, text));
  writeRecordings({ trace: log }, options, io);
  if (skipped > 0)
    io.say(
      `drydock: ${skipped} packets of other link types were left out (${readableLinkTypes.join(", ")} are read)`,
    );
  if (log.count === 0) {
    io.say(`drydock: ${options.file.label} holds no USB packet of link type ${readableLinkTypes.join(", ")}`);
    return exitCodes.finding;
  }
  return exitCodes.pass;
}
