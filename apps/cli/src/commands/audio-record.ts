// drydock audio record: a WAV file into a headset's microphone, and what an application would record.

import { command, option, optionalArgument, optionOr } from "../grammar/command-row.ts";
import { choice, wholeNumber } from "../grammar/option-kind.ts";
import { outputFile } from "../grammar/output-paths.ts";
import { jsonOption, perfettoOption, seedOption } from "../grammar/rig-options.ts";
import { ownWav, wavFile } from "./audio-play.ts";

export const audioRecord = command({
  arguments: {
    file: optionalArgument(wavFile, "what the microphone hears; without one, two ramps that show every slip"),
  },
  options: {
    seconds: optionOr(wholeNumber({ from: 1, to: 3600 }), 3, "of the ramps, where no file is heard"),
    out: option(outputFile(ownWav), "write what was recorded as WAV"),
    on: optionOr(choice(["headset", "headset-2"] as const), "headset", "the headset: audio class 1.0 or 2.0"),
    crystal: optionOr(
      wholeNumber({ from: 0, to: 1000, unit: "parts in a million" }),
      0,
      "how much the headset's clock is too fast",
    ),
    seed: seedOption,
    perfetto: perfettoOption,
    json: jsonOption,
  },
  example: "drydock audio record speech.wav --on headset-2 --out recorded.wav",
  notes: `Samples pass as they are: what was recorded is held against what the microphone heard, bit for bit.
Exit code 1 means that a frame of it was lost, doubled or changed on its way.`,
  run: async (options, io) => (await import("../actions/audio-record.ts")).recordAudio(options, io),
});
