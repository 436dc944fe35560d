// drydock new driver: a project of the user's, outside of any repository of ours.

import { argument, command, needed, option } from "../grammar/command-row.ts";
import { inputFile } from "../grammar/input-paths.ts";
import { choice, parsed } from "../grammar/option-kind.ts";
import { jsonOption } from "../grammar/rig-options.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { projectName } from "./project-name.ts";

const buses = ["usb", "hid", "pci", "network"] as const;
type Bus = (typeof buses)[number];

const busKind = parsed<Bus>({
  placeholder: "bus",
  takes: `one of ${buses.join(", ")}`,
  sample: "usb",
  wrong: ["", "Network", "scsi", "PCI"],
  read: (word) => {
    const bus = buses.find((known) => known === word);
    if (bus !== undefined) return bus;
    throw new UsageError(`takes one of ${buses.join(", ")}`);
  },
});

/** The smallest device: ids, one configuration, one vendor interface without endpoints. */
const sample = Buffer.from("12010002ff000040091210ef0001000000010902120001010080320904000000ff000000", "hex");
const deviceFile = inputFile({
  takes:
    "descriptors as bytes (Linux: /sys/bus/usb/devices/*/descriptors), what lsusb -v prints, or a USB capture",
  content: sample.toString("latin1"),
});

export const newDriver = command({
  arguments: { name: argument(projectName, "what the driver is called") },
  options: {
    bus: needed(busKind, "what its device is plugged into"),
    from: option(deviceFile, "begin with the descriptors of a real device, with --bus usb"),
    language: option(
      choice(["typescript", "cpp"], "language"),
      "cpp: a dext in C++, with --bus usb, for drydock dext; without it, a project in TypeScript",
      { clashes: ["from"] },
    ),
    json: jsonOption,
  },
  example:
    "drydock new driver logger --bus usb\ncd logger && npm install && npm test\ndrydock new driver logger --bus usb --from lsusb.txt\ndrydock new driver logger --bus usb --language cpp",
  run: async (options, io) => (await import("../actions/new-driver.ts")).newDriverProject(options, io),
});
