// The address of a USB/IP server, as commands take it.

import { parseUsbipAddress, type UsbipAddress } from "../actions/usbip-address.ts";
import { type Kind, parsed } from "../grammar/option-kind.ts";

export const usbipServer: Kind<UsbipAddress> = parsed({
  placeholder: "server",
  takes: "HOST, HOST:PORT or [IPV6]:PORT",
  sample: "127.0.0.1:1",
  wrong: ["", "127.0.0.1:0", "127.0.0.1:65536", "a b", "http://127.0.0.1/", "::1"],
  read: parseUsbipAddress,
});
