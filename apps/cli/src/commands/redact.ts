// drydock redact: evidence with its secrets replaced, the same secret by the same pseudonym.

import { command, flag, option, someArguments } from "../grammar/command-row.ts";
import { inputFile } from "../grammar/input-paths.ts";
import { outputFile } from "../grammar/output-paths.ts";

const evidence = inputFile({ takes: "a file of evidence", content: "Serial Number: C02ABC123DEF\n" });
const ownText = { what: "an empty file", isOurs: () => false };
const ownLedger = {
  what: "a ledger that drydock wrote",
  isOurs: (head: Uint8Array) => Buffer.from(head).includes('"drydock redaction ledger"'),
};

export const redact = command({
  arguments: {
    file: someArguments(evidence, "log, report, list, dump, profile or capture; - is standard input"),
  },
  options: {
    output: option(outputFile(ownText), "a file for the result, in place of stdout"),
    ledger: option(
      outputFile(ownLedger),
      "a file, readable by you alone, that says which secret became which word; never in the folder of the result",
    ),
    json: flag("one JSON document on stdout: each file's text, and how many secrets were replaced", {
      clashes: ["output"],
    }),
  },
  notes:
    "Its input is never touched. The same secret has the same pseudonym in all files of one run. Read the result before you give it away: words that nobody could recognise stay.",
  example: "drydock redact log.txt > log-redacted.txt\nlog show --last 1h | drydock redact -",
  run: async (options, io) => (await import("../actions/redact.ts")).redact(options, io),
});
