// drydock audio play: a sound through the audio stack, and what its hardware made of it.

import { command, option, optionalArgument, optionOr } from "../grammar/command-row.ts";
import { inputFile } from "../grammar/input-paths.ts";
import { choice, wholeNumber } from "../grammar/option-kind.ts";
import { type OwnFile, outputFile } from "../grammar/output-paths.ts";
import { jsonOption, perfettoOption, seedOption } from "../grammar/rig-options.ts";

export const wavFile = inputFile({
  takes: "a WAV file of two channels, 16 bits, 48000 or 44100 Hz",
  content: "",
});
/** Ours names its writer in its first chunks. */
export const ownWav: OwnFile = {
  what: "a WAV file that drydock wrote",
  isOurs: (head) => {
    const words = Buffer.from(head);
    return (
      words.subarray(0, 4).toString("latin1") === "RIFF" &&
      words.includes("ISFT") &&
      words.includes("drydock")
    );
  },
};

export const audioPlay = command({
  arguments: { file: optionalArgument(wavFile, "what to play; without one, two ramps that show every slip") },
  options: {
    seconds: optionOr(wholeNumber({ from: 1, to: 3600 }), 3, "of the ramps, where no file is played"),
    out: option(outputFile(ownWav), "write what leaves the converter as WAV"),
    on: optionOr(
      choice(["audio", "headset", "headset-2"] as const),
      "audio",
      "the rig that plays it: AC'97 on PCI, or a USB headset",
    ),
    crystal: optionOr(
      wholeNumber({ from: 0, to: 1000, unit: "parts in a million" }),
      0,
      "how much the hardware's clock is too fast",
    ),
    seed: seedOption,
    perfetto: perfettoOption,
    json: jsonOption,
  },
  example: "drydock audio play --out heard.wav\ndrydock audio play song.wav --on headset --crystal 200",
  notes: `The file is not converted: samples pass as they are, so that what was heard can be held against what was played, bit for bit.
Exit code 1 means that a frame of it was lost, doubled or changed on its way.`,
  run: async (options, io) => (await import("../actions/audio-play.ts")).playAudio(options, io),
});
