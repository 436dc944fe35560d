// Descriptors as a capture shows them: what GET_DESCRIPTOR brought whole, by device.

import { DescriptorType } from "@drydock/core/codec/usb/descriptors";
import type { UsbTransfer } from "../facts/usb-transfer.ts";
import type { DescriptorSet, GivenDescriptor } from "./descriptor-set.ts";

const hidReportType = 0x22;

/** One set for each device that was asked. `placeOf` says where the transfer of a descriptor stands. */
export function capturedDescriptors(
  transfers: readonly UsbTransfer[],
): { readonly set: DescriptorSet; readonly first: UsbTransfer }[] {
  const devices = new Map<number, { given: Map<string, GivenDescriptor>; first: UsbTransfer }>();
  for (const transfer of transfers) {
    const { data, device, moved, result, setup } = transfer;
    if (setup === null || result !== "ok" || setup[1] !== 6 || (setup[0] !== 0x80 && setup[0] !== 0x81))
      continue;
    const [, , index, type] = setup;
    const asked = setup[6] | (setup[7] << 8);
    // A capture may keep the first bytes of a transfer alone.
    if (data.length < moved || data.length < 2) continue;
    let one: GivenDescriptor | null = null;
    if (setup[0] === 0x80 && type === DescriptorType.device && asked >= 18)
      one = { role: "device", bytes: data };
    else if (setup[0] === 0x80 && type === DescriptorType.configuration && data.length >= 9) {
      // The first request is for the header alone: only one that asked for all of it shows what is missing.
      if (asked > 9 && asked >= (data[2] | (data[3] << 8))) one = { role: "configuration", bytes: data };
    } else if (setup[0] === 0x81 && type === hidReportType && asked >= data.length)
      one = { role: "report", bytes: data, interfaceNumber: setup[4] | (setup[5] << 8) };
    if (one === null) continue;
    const seen = devices.get(device) ?? { given: new Map(), first: transfer };
    devices.set(device, seen);
    seen.given.set(`${one.role} ${one.role === "report" ? one.interfaceNumber : index}`, one);
  }
  return [...devices].map(([device, { first, given }]) => ({
    first,
    set: { name: devices.size > 1 ? `device ${device}` : "", speed: null, given: [...given.values()] },
  }));
}
