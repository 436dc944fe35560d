// drydock new device: a capture becomes a model that people edit, and the list of what had to be inferred.

import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DecodeError } from "@drydock/core/base/errors";
import { shown } from "@drydock/core/base/shown-text";
import { readUsbPcapng } from "@drydock/core/trace/usb-pcapng";
import { modelOfTrace, type RecordedModel, writeRecordedModel } from "@drydock/core/trials/device-recording";
import type { InputFile } from "../grammar/input-paths.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { readDeviceSource } from "./device-source.ts";

interface NewDevice {
  readonly name: string;
  readonly from: InputFile;
  readonly json: boolean;
}

export function newRecordedDevice({ from, json, name }: NewDevice, io: CommandIo): ExitCode {
  const file = `${name}-device.ts`;
  const path = join(process.cwd(), file);
  if (existsSync(path)) throw new UsageError(`"${file}" is there already; nothing was written`);
  const { inferred, recording } = modelOf(from);
  writeFileSync(path, writeRecordedModel(name, { inferred, recording }), { flag: "wx" });
  const { data, requests } = recording;
  if (json) io.document({ file, requests: requests.length, data: data.length, inferred });
  else {
    io.print(`${file}: ${requests.length} requests and ${data.length} times data, answered as recorded\n`);
    for (const { because, what } of inferred) io.print(`inferred: ${shown(what)}: ${because}\n`);
  }
  return exitCodes.pass;
}

function modelOf(from: InputFile): RecordedModel {
  const bytes = from.bytes();
  try {
    const source = readDeviceSource(bytes);
    return modelOfTrace(readUsbPcapng(bytes).log, source);
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`${from.label} ${error.message}`);
    if (error instanceof DecodeError || error instanceof RangeError)
      throw new UsageError(`${from.label}: ${shown(error.message)}`);
    throw error;
  }
}
