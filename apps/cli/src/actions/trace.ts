// drydock trace: a USB capture, ours or usbmon's, as lines.

import { serialRequestNames } from "@drydock/core/rigs/serial-rig";
import { formatTrace, traceLines } from "@drydock/core/trace/usb-text";
import type { InputFile } from "../grammar/input-paths.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { readCapture } from "./capture.ts";

export function printTrace(
  options: {
    readonly file: InputFile;
    readonly control: boolean;
    readonly bytes: number;
    readonly json: boolean;
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
  if (skipped > 0)
    io.say(
      `drydock: ${skipped} packets of other link types were left out (220, 189 and 266 are read here; drydock diagnose reads 249 and 288 too)`,
    );
  if (log.count === 0) {
    io.say(`drydock: ${options.file.label} holds no USB packet of link type 220, 189 or 266`);
    return exitCodes.finding;
  }
  return exitCodes.pass;
}
