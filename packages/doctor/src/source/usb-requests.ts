// Control requests in source: the two forms of DeviceRequest, and methods of one's own that only share the name.

import { receiverType } from "./receiver-types.ts";
import type { SourceCall, SourceFile, SourceFunction } from "./source-file.ts";
import type { Syntax } from "./syntax.ts";

export interface UsbRequest {
  readonly requestType: Syntax;
  readonly request: Syntax;
  readonly length: Syntax;
  readonly buffer: Syntax;
}

/**
 * USBDriverKit: IOUSBHostInterface::DeviceRequest begins with bmRequestType, IOUSBHostDevice::DeviceRequest with the
 * client, so it has one argument more. Null for any other class's method, and for a number of arguments that fits neither.
 */
export function usbRequestOf(
  call: SourceCall,
  one: SourceFunction,
  file: SourceFile,
  all: readonly SourceFile[],
): UsbRequest | null {
  if (!/^(?:Async)?DeviceRequest$/.test(call.name)) return null;
  const type = receiverType(call, one, file, all);
  const first =
    type === "IOUSBHostDevice"
      ? 1
      : type === "IOUSBHostInterface"
        ? 0
        : type === null && call.receiver !== null
          ? call.args.length === 9
            ? 1
            : 0
          : null;
  if (first === null || call.args.length !== 8 + first) return null;
  const [requestType, request, , , length, buffer] = call.args.slice(first);
  return { requestType, request, length, buffer };
}
