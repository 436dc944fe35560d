// drydock disk coverage: which SCSI commands and pages a client uses.

import { anyArguments, command, optionOr } from "../grammar/command-row.ts";
import { byteSize, choice, text } from "../grammar/option-kind.ts";
import { faultOption, jsonOption, pcapOption, perfettoOption, seedOption } from "../grammar/rig-options.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { scsiLayers, usbScsiLayers } from "./disk-words.ts";

export const diskCoverage = command({
  arguments: {
    command: anyArguments(
      text({
        placeholder: "command",
        takes: "a program and its arguments",
        sample: "{url}",
        mostBytes: 1 << 16,
      }),
      "a client; without one, our class driver asks",
    ),
  },
  options: {
    size: optionOr(byteSize({ from: 1 << 20 }), { bytes: 64 << 20, text: "64M" }, "what the disk holds"),
    through: optionOr(
      choice(scsiLayers, "way"),
      "uas",
      "how our class driver asks; a client asks over iSCSI",
    ),
    seed: seedOption,
    fault: faultOption,
    pcap: pcapOption,
    perfetto: perfettoOption,
    json: jsonOption,
  },
  notes:
    "raid and ring-hba: behind a host adapter's dext. The command is given the disk's address in place of {url} (unit) or {portal} (iSCSI).",
  example:
    "drydock disk coverage\ndrydock disk coverage --through raid\ndrydock disk coverage -- iscsi-inq {url}",
  judge: ({ command: words, through }, isGiven) => {
    const isUsb = (usbScsiLayers as readonly string[]).includes(through);
    const usbOnly = (["fault", "pcap"] as const).find(isGiven);
    if (!isUsb && usbOnly !== undefined)
      throw new UsageError(`--${usbOnly} is about USB, and --through ${through} has none`);
    const idle = (["through", "fault", "pcap", "perfetto"] as const).find(isGiven);
    if (words.length > 0 && idle !== undefined)
      throw new UsageError(`--${idle} means nothing with a command: its client asks over iSCSI`);
    if (words.length > 0 && !words.some((word) => word.includes("{url}") || word.includes("{portal}")))
      throw new UsageError("command needs {url} (the unit) or {portal} where the disk's address belongs");
  },
  run: async (options, io) => (await import("../actions/disk-coverage.ts")).coverDisk(options, io),
});
