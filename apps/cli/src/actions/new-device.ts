// drydock new device: a capture becomes a model that people edit, and the list of what had to be inferred.

import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DecodeError } from "@drydock/core/base/errors";
import { shown } from "@drydock/core/base/shown-text";
import { RecordedDevice } from "@drydock/core/devices/recorded/recorded-device";
import { readUsbPcapng } from "@drydock/core/trace/usb-pcapng";
import { modelOfTrace, type RecordedModel, writeRecordedModel } from "@drydock/core/trials/device-recording";
import { type HostReplay, playRecordedHost } from "@drydock/core/trials/recorded-host";
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
  const { inferred, recording, replay } = modelOf(from);
  writeFileSync(path, writeRecordedModel(name, { inferred, recording }), { flag: "wx" });
  const { data, requests } = recording;
  const { bytes, differences, transfers } = replay;
  if (json)
    io.document({
      file,
      requests: requests.length,
      data: data.length,
      inferred,
      replay: { bytes, differences, transfers },
    });
  else {
    io.print(`${file}: ${requests.length} requests and ${data.length} times data\n`);
    io.print(
      `the recorded host, played against it: ${transfers} transfers and ${bytes} bytes of answers, ${differences.length === 0 ? "each as recorded" : `${differences.length} otherwise`}\n`,
    );
    for (const difference of differences.slice(0, shownDifferences))
      io.print(`otherwise: ${shortened(difference)}\n`);
    for (const { because, what } of inferred) io.print(`inferred: ${shown(what)}: ${because}\n`);
  }
  return differences.length === 0 ? exitCodes.pass : exitCodes.finding;
}

const shownDifferences = 10;
const longestLine = 200;

function shortened(line: string): string {
  return line.length <= longestLine ? line : `${line.slice(0, longestLine)}...`;
}

function modelOf(from: InputFile): RecordedModel & { readonly replay: HostReplay } {
  const bytes = from.bytes();
  try {
    const source = readDeviceSource(bytes);
    const { log } = readUsbPcapng(bytes);
    const model = modelOfTrace(log, source);
    return { ...model, replay: playRecordedHost(log, model.device, new RecordedDevice(model.recording)) };
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`${from.label} ${error.message}`);
    if (error instanceof DecodeError || error instanceof RangeError)
      throw new UsageError(`${from.label}: ${shown(error.message)}`);
    throw error;
  }
}
