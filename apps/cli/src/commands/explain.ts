// drydock explain: what a code, a rule or an entitlement means.

import { argument, command } from "../grammar/command-row.ts";
import { text } from "../grammar/option-kind.ts";
import { jsonOption } from "../grammar/rig-options.ts";

const word = text({
  placeholder: "word",
  takes: "a code (0xe00002e2), a rule of the doctor (DR20-1) or an entitlement",
  sample: "0xe00002e2",
  mostBytes: 256,
});

export const explain = command({
  words: ["explain"],
  summary: "a code (0xe00002e2), a rule of the doctor (DR20-1) or an entitlement",
  arguments: { word: argument(word, "what to explain") },
  options: { json: jsonOption },
  example: "drydock explain 0xe00002e2\ndrydock explain DR20-1",
  run: async (options, io) => (await import("../actions/explain.ts")).explain(options, io),
});
