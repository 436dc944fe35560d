// A capture that a person named: read, or said in one sentence why it is none.

import { DecodeError } from "@drydock/core/base/errors";
import { shown } from "@drydock/core/base/shown-text";
import { readUsbPcapng } from "@drydock/core/trace/usb-pcapng";
import { UsageError } from "../terminal/usage-error.ts";

/** Throws UsageError, with the place of the damage, for what is no capture. */
export function readCapture(bytes: Uint8Array, label: string): ReturnType<typeof readUsbPcapng> {
  try {
    return readUsbPcapng(bytes);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new UsageError(`${label} is no whole USB capture (pcapng or pcap): ${shown(error.message)}`);
  }
}
