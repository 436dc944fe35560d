// drydock trace: a USB capture, ours or usbmon's, as lines.

import { readFileSync } from "node:fs";
import { serialRequestNames } from "@drydock/core/rigs/serial-rig";
import { readUsbPcapng } from "@drydock/core/trace/usb-pcapng";
import { formatTrace, traceLines } from "@drydock/core/trace/usb-text";
import { exitCodes } from "./exit-codes.ts";

export function printTrace(
  file: string,
  options: { control?: boolean; bytes: number; json?: boolean },
): void {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new RangeError(`cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!Number.isInteger(options.bytes) || options.bytes < 0)
    throw new RangeError("--bytes is a whole number from 0 on");
  const { log, skipped } = readUsbPcapng(bytes);
  const text = {
    describeRequests: serialRequestNames,
    dataBytes: options.bytes,
    controlOnly: options.control === true,
  };
  if (options.json === true) process.stdout.write(`${JSON.stringify(traceLines(log, text), null, 2)}\n`);
  else process.stdout.write(formatTrace(log, text));
  if (skipped > 0)
    process.stderr.write(
      `drydock: ${skipped} packets of other link types were left out (only 220 is read)\n`,
    );
  if (log.count === 0) {
    process.stderr.write(`drydock: ${file} holds no USB packet of link type 220\n`);
    process.exitCode = exitCodes.finding;
  }
}
