// drydock explain: what a code of IOKit, or a rule of the doctor, means.

import { formatReturn, returnName } from "@drydock/core/base/io-return";
import { shown } from "@drydock/core/base/shown-text";
import { allRules } from "@drydock/doctor/rules/all-rules";
import { returnContexts } from "@drydock/doctor/rules/return-contexts";
import { meaningOf } from "@drydock/doctor/rules/return-meanings";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";

export function explain(
  { word, json }: { readonly word: string; readonly json: boolean },
  io: CommandIo,
): ExitCode {
  const text = explanationOf(word);
  if (text === null) {
    io.say(
      `drydock: "${shown(word)}" is neither a code (0xe00002e2), a rule (DR20-1) nor a word of one, such as an entitlement`,
    );
    return exitCodes.usage;
  }
  if (json) io.document({ word, text });
  else io.print(text);
  return exitCodes.pass;
}

function explanationOf(word: string): string | null {
  if (/^(?:0x[0-9a-f]{1,8}|-\d{1,10})$/i.test(word)) {
    const code = Number(word) >>> 0;
    const name = returnName(code);
    const form = formatReturn(code);
    const meaning = meaningOf(name);
    const known =
      name === form
        ? "no name of IOKit, USB or Mach is known for it"
        : `${name}${meaning === null ? "" : `. ${meaning}.`}`;
    const about = rulesAbout(form.slice(2)).concat(name === form ? [] : rulesAbout(name));
    return `${form} (${code | 0}): ${known}\n${contextLines(name)}${ruleLines([...new Set(about)])}`;
  }
  const rule = allRules.find(({ id }) => id.toLowerCase() === word.toLowerCase());
  if (rule !== undefined) {
    const steps = rule.fix.map((step, index) => `  ${index + 1}. ${step}\n`).join("");
    return `${rule.id}: ${rule.title}\n\n${rule.why}\n\n${steps}\nTo be done by ${rule.who}. Knowledge: ${rule.certainty} (${rule.source}).\n`;
  }
  const about = word.length < 4 ? [] : rulesAbout(word);
  return about.length === 0 ? null : `${word}\n${ruleLines(about)}`;
}

/** What the code means when one certain call gave it. */
function contextLines(name: string): string {
  const known = returnContexts.filter((entry) => entry.name === name);
  return known.map(({ calls, means, fix }) => `\nFrom ${calls.join(", ")}: ${means}.\n  ${fix}\n`).join("");
}

/** Rules whose words hold this one; the last part of an entitlement's name is enough. */
function rulesAbout(word: string): (typeof allRules)[number][] {
  const short = word.replace(/^com\.apple\.developer\.driverkit\./, "").toLowerCase();
  return allRules.filter(({ title, why, fix }) =>
    `${title} ${why} ${fix.join(" ")}`.toLowerCase().includes(short),
  );
}

function ruleLines(rules: readonly (typeof allRules)[number][]): string {
  return rules.map((rule) => `\n${rule.id}: ${rule.title}\n  ${rule.why}\n`).join("");
}
