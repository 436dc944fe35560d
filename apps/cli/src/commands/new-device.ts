// drydock new device: a model of a recorded device, as a file of the user's.

import { argument, command, needed } from "../grammar/command-row.ts";
import { inputFile } from "../grammar/input-paths.ts";
import { jsonOption } from "../grammar/rig-options.ts";
import { projectName } from "./project-name.ts";

/** One packet less than a capture: its sample says what is missing. */
const captureFile = inputFile({
  takes: "a USB capture of the device from its plugging in on (pcapng or pcap)",
  content: "",
});

export const newDevice = command({
  arguments: { name: argument(projectName, "what the device is called: NAME-device.ts is written here") },
  options: {
    from: needed(captureFile, "what it answered, recorded"),
    json: jsonOption,
  },
  example: "drydock new device scale --from scale.pcapng",
  notes: `What was recorded is answered byte for byte. What the capture does not say is inferred: each such answer is printed, and listed in
the file, which is yours to edit.`,
  run: async (options, io) => (await import("../actions/new-device.ts")).newRecordedDevice(options, io),
});
