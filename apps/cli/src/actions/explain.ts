// drydock explain: what a code, a rule, an entitlement, a state or a sentence means that somebody has.

import { shown } from "@drydock/core/base/shown-text";
import { explainPhrase } from "@drydock/doctor/explain";
import { isStandardInput, readInput } from "../grammar/input-paths.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { UsageError } from "../terminal/usage-error.ts";

const longestPhrase = 4096;

/** What somebody pipes in: pbpaste | drydock explain -. Throws UsageError for nothing, and for more than a phrase. */
function pasted(): string {
  const phrase = readInput("-").toString("utf8").trim();
  if (phrase === "") throw new UsageError("standard input is empty; pipe the word or the sentence in");
  if (phrase.length > longestPhrase)
    throw new UsageError(
      `standard input has more than ${longestPhrase} characters, which is no phrase; give it to drydock diagnose -`,
    );
  return phrase;
}

export interface ExplainCommand {
  readonly word: readonly string[];
  readonly descriptors: boolean;
  readonly speed?: "low" | "full" | "high" | "super";
  readonly json: boolean;
}

export async function explain(
  { descriptors, speed, word, json }: ExplainCommand,
  io: CommandIo,
): Promise<ExitCode> {
  if (descriptors)
    return (await import("./explain-descriptors.ts")).explainDescriptors(word[0], speed ?? null, json, io);
  const phrase = word.length === 1 && isStandardInput(word[0]) ? pasted() : word.join(" ");
  const text = await explainPhrase(phrase);
  if (text === null) {
    io.say(
      `drydock: ${shown(phrase)} is neither a code (0xe00002e2, kIOReturnNotPermitted, 3758097122), a domain with a number, an entitlement, a state of systemextensionsctl, a rule (DR20-1), a kind of device (ncm) nor a sentence that is known here`,
    );
    return exitCodes.usage;
  }
  if (json) io.document({ word: phrase, text });
  else io.print(text);
  return exitCodes.pass;
}
