// drydock trace: a USB capture as text.

import { argument, command, flag, optionOr } from "../grammar/command-row.ts";
import { inputFile } from "../grammar/input-paths.ts";
import { wholeNumber } from "../grammar/option-kind.ts";
import { jsonOption, perfettoOption } from "../grammar/rig-options.ts";

export const captureFile = inputFile({ takes: "a USB capture (pcapng or pcap)", content: "" });

export const trace = command({
  arguments: { file: argument(captureFile, "the capture") },
  options: {
    control: flag("control transfers only"),
    bytes: optionOr(wholeNumber({ from: 0, to: 65_536, unit: "bytes" }), 16, "data shown of each transfer"),
    perfetto: perfettoOption,
    json: jsonOption,
  },
  example: "drydock trace capture.pcapng\nzcat capture.pcapng.gz | drydock trace -",
  run: async (options, io) => (await import("../actions/trace.ts")).printTrace(options, io),
});
