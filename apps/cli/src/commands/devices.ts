// drydock devices: what can be reached over each path.

import { command, optionalArgument } from "../grammar/command-row.ts";
import { jsonOption } from "../grammar/rig-options.ts";
import { usbipServer } from "./usbip-server.ts";

export const devices = command({
  arguments: { server: optionalArgument(usbipServer, "a USB/IP server") },
  options: { json: jsonOption },
  example: "drydock devices\ndrydock devices 192.168.1.7",
  run: async (options, io) => (await import("../actions/devices.ts")).devices(options, io),
});
