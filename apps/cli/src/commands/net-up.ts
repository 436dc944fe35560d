// drydock net up: an interface of a rig, joined to this machine or to a virtual one; its cable, too.

import { command, flag, option, optionalArgument, optionOr } from "../grammar/command-row.ts";
import { choice, text } from "../grammar/option-kind.ts";
import { outputFile, socketPath } from "../grammar/output-paths.ts";
import {
  faultOption,
  forOption,
  jsonOption,
  ownCapture,
  perfettoOption,
  platformName,
  seedOption,
} from "../grammar/rig-options.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { networkRigName } from "./rig-name.ts";

const interfaceName = text({
  placeholder: "name",
  takes: 'at most 15 letters, digits, "_", "." and "-"; %d is the lowest number that is free',
  sample: "drydock0",
  mostBytes: 15,
  wrong: ["a/b", "sixteen-letters-", "a b"],
  check: (word) => (/^[A-Za-z0-9_.%-]{1,15}$/.test(word) ? null : "takes a name for an interface"),
});

export const netUp = command({
  arguments: {
    rig: optionalArgument(networkRigName, "which adapter and driver; default ethernet, the AX88772C"),
  },
  options: {
    stack: optionOr(
      choice(["auto", "tap", "qemu"] as const, "stack"),
      "auto",
      "who uses the interface: this machine by a TAP device, or a virtual one; auto: TAP where it may be made",
    ),
    tap: option(interfaceName, "name of the TAP device; default drydock0 or the next one that is free"),
    cable: optionOr(
      choice(["auto", "passt", "qemu", "qemu-dgram", "echo"] as const, "cable"),
      "auto",
      "where the adapter's cable leads: to passt, a virtual machine, or back; auto: passt where it is installed",
    ),
    cableSocket: option(socketPath, "a Unix socket for the cable's virtual machine in place of a TCP port"),
    lan: flag("with passt: let what is behind the cable reach other machines; else this one only"),
    platform: optionOr(platformName, "macos15", "the system whose rules hold: macos15, iphone, ..."),
    seed: seedOption,
    fault: faultOption,
    pcap: option(outputFile(ownCapture), "write the frames on the cable as pcapng"),
    perfetto: perfettoOption,
    for: forOption,
    json: jsonOption,
  },
  example:
    "drydock net up --tap drydock0\nsudo ip addr add 10.90.0.2/24 dev drydock0 && sudo ip link set drydock0 up",
  notes: `The TAP device is made with the adapter's address and nothing else: it is down and has no IP address until you give it one, and it is gone when
this command ends. Everything listens on loopback.`,
  judge: ({ cable, cableSocket, lan, stack, tap }) => {
    if (tap !== undefined && stack === "qemu")
      throw new UsageError("--tap names a TAP device, and --stack qemu makes none");
    if (lan && cable !== "auto" && cable !== "passt")
      throw new UsageError(`--lan is about passt, and --cable ${cable} does not use it`);
    if (cableSocket !== undefined && cable !== "qemu")
      throw new UsageError("--cable-socket is where a virtual machine comes: it needs --cable qemu");
  },
  run: async (options, io) => (await import("../actions/net-up.ts")).netUp(options, io),
});
