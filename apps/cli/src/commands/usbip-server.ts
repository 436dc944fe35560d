// The address of a USB/IP server and the name of a device there, as commands take them.

import { parseUsbipAddress, type UsbipAddress } from "../actions/usbip-address.ts";
import { type Kind, parsed, text } from "../grammar/option-kind.ts";

export const usbipServer: Kind<UsbipAddress> = parsed({
  placeholder: "server",
  takes: "HOST, HOST:PORT or [IPV6]:PORT",
  sample: "127.0.0.1:1",
  wrong: ["", "127.0.0.1:0", "127.0.0.1:65536", "a b", "http://127.0.0.1/", "::1"],
  read: parseUsbipAddress,
});

/** Of a USB/IP device: 32 bytes with their end. */
const longestBusId = 31;

export const usbipBusId: Kind<string> = text({
  placeholder: "busid",
  takes: "a name from the server's list, like 1-1.4",
  sample: "1-1",
  mostBytes: longestBusId,
});
