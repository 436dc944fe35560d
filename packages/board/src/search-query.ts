// What a person typed into the search box: words, and symptoms in any form that people write them.

import type { Symptom } from "./records.ts";
import { BoardRefusal } from "./refusal.ts";
import { symptomsIn } from "./symptoms.ts";

export interface SearchQuery {
  readonly words: readonly string[];
  readonly symptoms: readonly Symptom[];
}

const longestQuery = 400;
const mostWords = 12;

/** Letters, digits and the underscore, as the index cuts words. A word of one letter says nothing. */
const wordForm = /[\p{L}\p{N}_]+/gu;
/** Code forms that the tokenizer would tear into pieces. */
const codeLike =
  /(?:0x)?[0-9a-fA-F]{8}\b|[-−]\d{5,10}|@?[\w+-]+\.(?:c|cc|cpp|cxx|m|mm|h|hpp|iig|swift)\s?:\s?\d+|DR\d{2}-\d{1,2}|(?:FX|NT|IO)-[A-Z0-9-]{2,20}|(?:0x)?[0-9a-fA-F]{4}\s?:\s?(?:0x)?[0-9a-fA-F]{4}/gi;

/** Throws BoardRefusal when it is longer than a search can be. Control characters count as spaces. */
export function parseSearch(text: string): SearchQuery {
  if (text.length > longestQuery)
    throw new BoardRefusal(
      "invalid",
      "query-long",
      `A search has at most ${longestQuery} characters; this one has ${text.length}.`,
      "q",
    );
  const upper = text.replace(/\b(dr\d{2}-\d{1,2}|(?:fx|nt|io)-[a-z0-9-]{2,20})\b/gi, (rule) =>
    rule.toUpperCase(),
  );
  const symptoms = symptomsIn(upper);
  const rest = symptoms.length === 0 ? text : text.replace(codeLike, " ");
  const words: string[] = [];
  for (const [word] of rest.matchAll(wordForm)) {
    const lower = word.toLowerCase();
    if (lower.length < 2 && !/\p{N}|[^\p{ASCII}]/u.test(lower)) continue;
    if (symptoms.length > 0 && /^k(io|usb)/.test(lower) && symptomsIn(word).length > 0) continue;
    if (!words.includes(lower)) words.push(lower);
  }
  return { words: words.slice(0, mostWords), symptoms };
}
