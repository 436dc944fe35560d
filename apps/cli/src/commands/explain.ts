// drydock explain: what a code, an entitlement, a state, a rule or a sentence means.

import { command, flag, option, someArguments } from "../grammar/command-row.ts";
import { choice, text } from "../grammar/option-kind.ts";
import { jsonOption } from "../grammar/rig-options.ts";
import { UsageError } from "../terminal/usage-error.ts";

const word = text({
  placeholder: "word",
  takes:
    "a code, a domain with its number, an entitlement, a state, a rule of the doctor, a kind of device or a sentence",
  sample: "0xe00002e2",
  mostBytes: 4096,
});

export const explain = command({
  arguments: {
    word: someArguments(word, "what to explain; several words are one phrase, - is standard input"),
  },
  options: {
    descriptors: flag(
      "word is a file with USB or HID report descriptors: each fault with its byte, its cause, and what Linux, Windows and macOS make of it",
    ),
    speed: option(
      choice(["low", "full", "high", "super"], "speed"),
      "of the device, where the source does not say it",
      {
        needs: ["descriptors"],
      },
    ),
    json: jsonOption,
  },
  judge: ({ descriptors, word: words }) => {
    if (descriptors && words.length > 1)
      throw new UsageError("--descriptors takes one file: the descriptors of one device, or a capture");
  },
  notes: `--descriptors takes bytes (Linux: /sys/bus/usb/devices/*/descriptors), lsusb -v, a hexadecimal dump, a source file with arrays, a capture.
Exit code 1 with it: something is wrong in them; 0: nothing is known to be.`,
  example:
    "drydock explain 0xe00002e2\ndrydock explain OSSystemExtensionErrorDomain 9\ndrydock explain DR20-1\npbpaste | drydock explain -\nlsusb -v -d 0403: | drydock explain --descriptors -",
  run: async (options, io) => (await import("../actions/explain.ts")).explain(options, io),
});
