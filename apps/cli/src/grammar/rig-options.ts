// Options that many commands share: those of every rig, and those of everything that listens.

import { junitHead } from "@drydock/core/codec/junit/junit";
import type { UsbFaultRule } from "@drydock/core/faults/usb-faults";
import { UsageError } from "../terminal/usage-error.ts";
import { flag, many, option, optionOr } from "./command-row.ts";
import { choice, type Kind, parsed, seconds, seed, tcpPort, text } from "./option-kind.ts";
import { type OwnFile, outputFile } from "./output-paths.ts";

export const seedOption = optionOr(seed, 1, "everything that chance decides follows from it");
export const forOption = option(seconds, "end by itself after so long");
export const jsonOption = flag("one JSON document on stdout");

/** A pcapng begins with a section header; ours names the program (PCAP Next Generation, §4.1). */
export const ownCapture: OwnFile = {
  what: "a capture that drydock wrote",
  isOurs: (head) => {
    const words = Buffer.from(head);
    return words.length >= 12 && words.readUInt32BE(0) === 0x0a0d0d0a && words.includes("drydock");
  },
};
export const pcapOption = option(outputFile(ownCapture), "write the USB traffic as pcapng");

/** A trace of ours begins with its writer's name (`writePerfetto`). */
export const ownTimeline: OwnFile = {
  what: "a timeline that drydock wrote",
  isOurs: (head) => /^\{[^[]*"writer":"drydock"/.test(Buffer.from(head).toString("latin1")),
};
/** A report of ours begins with its writer's name. */
export const ownJunit: OwnFile = {
  what: "a report that drydock wrote",
  isOurs: (head) => Buffer.from(head).toString("latin1").startsWith(junitHead),
};
export const junitOption = option(
  outputFile(ownJunit),
  "write a report as JUnit's XML too, for services that show tests",
);
export const perfettoOption = option(
  outputFile(ownTimeline),
  "write the whole timeline (calls, queues, bus, log) for Perfetto's viewer",
);

export const usbFault: Kind<UsbFaultRule> = parsed({
  placeholder: "rule",
  takes: "a USB fault, for example stall:ep=0x81,nth=3",
  sample: "stall:ep=0x81,nth=3",
  wrong: ["no-such-fault", "", "stall:ep=abc", "stall:nth=0,colour=red"],
  read: async (word) => (await import("@drydock/core/faults/usb-faults")).parseUsbFaultRule(word),
});
export const faultOption = many(usbFault, "a fault that strikes on the bus");

const serialDevices = ["ftdi", "ft230x", "ft232h", "ft2232h", "ft4232h", "cdc-acm"] as const;
export const deviceOption = many(choice(serialDevices, "device"), "a device in place of the rig's own");

export const platformName: Kind<string> = choice(
  async () => Object.keys((await import("@drydock/core/platform/platform-profile")).platformProfiles),
  "platform",
);
export const platformOption = optionOr(
  platformName,
  "open",
  "the system whose rules hold: macos15, macos26, ...",
);

/** Options of every command that builds a rig with a USB bus. */
export const rigOptions = {
  seed: seedOption,
  fault: faultOption,
  pcap: pcapOption,
  perfetto: perfettoOption,
  device: deviceOption,
  platform: platformOption,
};

/** An address to listen on: a name or a number, without port. */
export const hostAddress: Kind<string> = text({
  placeholder: "address",
  takes: "an address or name of this machine, without a port",
  sample: "127.0.0.1",
  mostBytes: 253,
  wrong: ["127.0.0.1:80", "a b", "http://127.0.0.1/", "[::1]"],
  check: (word) =>
    /^[0-9A-Za-z._-]+$/.test(word) || /^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*(%\w+)?$/.test(word)
      ? null
      : "takes an address or name of this machine, without a port and brackets",
});
export const hostOption = optionOr(
  hostAddress,
  "127.0.0.1",
  "where to listen; others than loopback expose what is served",
);
export const portOption = (fallback: number, summary = "TCP port, 0 for a free one") =>
  optionOr(tcpPort, fallback, summary);

/** The stable name of a terminal. */
export const linkPath: Kind<string> = {
  placeholder: "path",
  takes: "a name that nothing has yet, or a link that an earlier run left behind",
  isPath: true,
  read: async (path) => {
    if (path === "") throw new UsageError('needs a path, not ""');
    const { judgeLinkPath } = await import("./link-path.ts");
    judgeLinkPath(path);
    return path;
  },
  sample: ({ folder }) => `${folder}/fresh-link`,
  mistakes: (place) => outputFile(ownCapture).mistakes(place),
};
