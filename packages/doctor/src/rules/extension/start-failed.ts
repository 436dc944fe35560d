// FX-START-FAIL: the kernel's line about a Start that failed, joined with what the driver said before.

import type { Evidence } from "../../evidence/evidence.ts";
import { type Hit, watch } from "../../evidence/watch.ts";
import { cutText } from "../../facts/cut-text.ts";
import { spoken } from "../questions.ts";
import { meaningOf, nameOfReturn } from "../return-meanings.ts";
import type { Finding, Rule } from "../rule.ts";

const failed = watch(
  [")::start(", "::start(", ":start("],
  /(?:DK: )?([\w.-]{1,200}?)(?:-0x([0-9a-f]{1,16}))?::start\(([\w.-]{1,200}?)(?:-0x([0-9a-f]{1,16}))?\) (fail|ok)/i,
);
/** What a driver says when something does not work; anywhere else it is somebody else's trouble. */
const trouble = watch(
  [".dext) "],
  /fail|error|0xe000[0-9a-f]{4}|-5368\d{5}|cannot|could not|unable|kIOReturn(?!Success)\w+/i,
);
const nearLines = 60;

export const startFailed: Rule = {
  id: "FX-START-FAIL",
  title: "The driver was started, and its Start failed",
  severity: "error",
  certainty: "established",
  source: "xnu-11417 IOUserServer::serviceStarted: the line is printed for every Start",
  needs: ["log"],
  why: "Matching worked, the driver's process ran and its Start returned an error. The kernel's line says no more than that; the driver's own line just before says which call failed.",
  fix: [
    "Read the driver's lines just before: the call and its code are the reason.",
    "Log every early return of Start with the name of the call and its code.",
  ],
  who: "you",
  watches: [failed, trouble],
  judge(evidence) {
    return spoken(evidence, failed).flatMap((hit): Finding[] => {
      const [, driver, , provider, , outcome] = hit.match;
      if (outcome.toLowerCase() === "ok") return [];
      const before = said(evidence, hit);
      const code = before === null ? null : codeIn(before);
      return [
        {
          score: 86,
          claim: `Start of ${driver} on ${provider} failed${before === null ? "" : `; the driver's own line just before: ${quote(before)}`}${code === null ? "" : `, ${code}`}.`,
          because: before === null ? [hit.place] : [hit.place, before.place],
          about: [driver, provider],
          missing:
            before === null
              ? ["the driver's own lines just before: which call of Start gave which code"]
              : [],
        },
      ];
    });
  },
};

/** The driver's own line nearest before, in the same file. */
function said(evidence: Evidence, hit: Hit): Hit | null {
  const lines = spoken(evidence, trouble).filter(
    ({ place, row }) =>
      place.file === hit.place.file &&
      place.line < hit.place.line &&
      hit.place.line - place.line <= nearLines &&
      !/\bDK: /.test(place.text) &&
      (row.sender.endsWith(".dext") ||
        (row.process === "kernel" && row.sender !== "" && !row.sender.startsWith("com.apple."))),
  );
  return lines.at(-1) ?? null;
}

const quote = ({ row }: Hit): string => `"${cutText(row.message, 160)}"`;

const meanings: Readonly<Record<string, string>> = {
  kIOReturnExclusiveAccess: "another client has it open",
};

function codeIn({ row }: Hit): string | null {
  const text = /0xe000[0-9a-f]{4}|-5368\d{5}|kIOReturn\w+|kUSBHostReturn\w+/i.exec(row.message)?.[0];
  const name = text === undefined ? null : nameOfReturn(text);
  if (name === null) return null;
  const meaning = meanings[name] ?? meaningOf(name);
  return `${name}${meaning === null ? "" : `: ${meaning.charAt(0).toLowerCase()}${meaning.slice(1)}`}`;
}
