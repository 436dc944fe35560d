// drydock explain: what a code, an entitlement, a state, a rule or a sentence means.

import { command, someArguments } from "../grammar/command-row.ts";
import { text } from "../grammar/option-kind.ts";
import { jsonOption } from "../grammar/rig-options.ts";

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
  options: { json: jsonOption },
  example:
    "drydock explain 0xe00002e2\ndrydock explain OSSystemExtensionErrorDomain 9\ndrydock explain DR20-1\npbpaste | drydock explain -",
  run: async (options, io) => (await import("../actions/explain.ts")).explain(options, io),
});
