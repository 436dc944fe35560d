// FX-KILLED: the system ended a program for its code signature: at launch, on a changed page, or for its entitlements.

import { isRestrictedEntitlement } from "@drydock/core/platform/claims";
import type { Evidence } from "../../evidence/evidence.ts";
import { watch } from "../../evidence/watch.ts";
import { refused } from "../../facts/statement.ts";
import { listsOf } from "../../signing/entitlement-lists.ts";
import { spoken } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

const killedByReason = watch(
  ["OS_REASON_CODESIGNING", "Code Signature Invalid", "CODESIGNING", "Taskgated Invalid"],
  /(?:^|.*?\s)?([\w./-]{2,200})?.{0,120}(?:OS_REASON_CODESIGNING|Code Signature Invalid|Namespace CODESIGNING, Code:? ?(0x\d+|\d+)|Taskgated Invalid Signature)/,
);
const invalidPage = watch(
  ["rejecting invalid page", "cs_invalid_page", "CODE SIGNING:"],
  /CODE SIGNING: process \d+\[([^\]]{1,120})\]: rejecting invalid page|cs_invalid_page.{0,120}?name=\(?([^,)]{1,120})|CODE SIGNING: cs_invalid_page/,
);
const loadError = watch(
  ["load code signature error"],
  /load code signature error (\d+) for file "([^"]{1,200})"/,
);
const unknownSigner = watch(
  ["AppleMobileFileIntegrityError", "adhoc signed or signed by an unknown"],
  /(?:([^\s:]{1,400}) (?:is )?not valid: .{0,80})?AppleMobileFileIntegrityError Code=-423|adhoc signed or signed by an unknown certificate chain/,
);
const shellKilled = watch(
  ["sh: killed", "Killed: 9", "  killed ", "+ killed", " Killed  "],
  /(?:^|\s)(?:zsh: killed|\S*sh: line \d+: .{0,40}Killed(?:: 9)?|Killed: 9|\[\d+\]\s+\+?\s*\d+ killed|\d+ Killed)\s*(\S{0,200})/i,
);
/** 128 + SIGKILL, as a shell or a CI runner gives it. */
const status137 = watch(
  [
    "code 137",
    "status 137",
    "code: 137",
    "status: 137",
    "with 137",
    "code=137",
    "status=137",
    "e (137)",
    "s (137)",
  ],
  /(?:code|status|with) ?[:=]? ?\(?137\b/i,
);

const inspect = (program: string, time: string): string[] => [
  `codesign -dvvv --entitlements - ${program || "PROGRAM"} shows what was signed, codesign --verify --deep --strict -vv ${program || "PROGRAM"} what does not hold.`,
  `Which of the three it is, amfid and taskgated-helper say in the log${time === "" ? " of that second" : ` at ${time}`}: log show --predicate 'process == "amfid" OR process == "taskgated-helper" OR eventMessage CONTAINS "AMFI"'.`,
];

export const killedByCodeSigning: Rule = {
  id: "FX-KILLED",
  title: "The system ended a program for its code signature",
  severity: "error",
  certainty: "established",
  source: "xnu-11417 exit reasons of the namespace CODESIGNING; Apple TN2206, TN3125",
  needs: ["crash report", "log", "entitlements"],
  why: "Before a program runs the system looks at its signature, and while it runs at each page of its code. A program is ended for that when it was changed after signing, is not properly signed, or claims a restricted entitlement that no embedded profile allows.",
  fix: inspect("", ""),
  who: "you",
  states: refused("code signing ended the program"),
  watches: [killedByReason, invalidPage, loadError, unknownSigner, shellKilled, status137],
  judge(evidence) {
    const findings = reports(evidence);
    for (const { match, place } of spoken(evidence, unknownSigner)) {
      const program = match[1]?.split("/").pop() ?? "The program";
      findings.push({
        score: 88,
        claim: `${program} is signed ad hoc or by a chain that this Mac does not know, so amfid refused it (AppleMobileFileIntegrityError -423).`,
        because: [place],
        about: match[1] === undefined ? [] : [program],
        fix: [
          "Sign with a development or Developer ID certificate; restricted entitlements need a profile of the same team, too.",
          ...inspect(match[1] ?? "", ""),
        ],
      });
    }
    for (const { match, place } of spoken(evidence, invalidPage)) {
      const process = match[1] ?? match[2] ?? "";
      findings.push({
        score: 84,
        claim: `A page of ${process || "a program"}'s code does not fit its signature any more, and the system ended it (CODE SIGNING: invalid page).`,
        because: [place],
        about: [process],
        why: "The file was changed or replaced in place while it was in use or after it had been signed: each page is compared with the signature when it is read.",
        fix: [
          "Install by writing a new file and renaming it, never by copying over the old one; then sign again.",
          ...inspect(process, ""),
        ],
      });
    }
    for (const { match, place } of spoken(evidence, loadError))
      findings.push({
        score: 70,
        claim: `The kernel could not load the code signature of ${match[2]} (error ${match[1]}).`,
        because: [place],
        about: [match[2]],
        fix: inspect(match[2], ""),
      });
    const inReports = new Set(evidence.facts("crash").map(({ place }) => place.file));
    for (const { match, row, place } of spoken(evidence, killedByReason)) {
      if (inReports.has(place.file)) continue;
      findings.push({
        score: 78,
        claim: `The system ended ${row.process === "launchd" || match[1] === undefined ? subject(place.text) : match[1]} for its code signature (${/OS_REASON_CODESIGNING/.test(place.text) ? "OS_REASON_CODESIGNING" : "Code Signature Invalid"}).`,
        because: [place],
        fix: inspect("", row.time.slice(11, 19)),
      });
    }
    return [...findings, ...shells(evidence, findings.length > 0)];
  },
};

/** The name of a launchd job or a program in the line. */
function subject(text: string): string {
  return (
    /(?:gui|system|user|pid)\/\S*?\/?([A-Za-z][\w.-]{3,200})|([A-Za-z][\w-]*(?:\.[\w-]+){2,})/
      .exec(text)
      ?.slice(1)
      .find(Boolean) ?? "a program"
  );
}

function reports(evidence: Evidence): Finding[] {
  return evidence.facts("crash").flatMap(({ place, value }): Finding[] => {
    const isCode =
      value.terminationNamespace === "CODESIGNING" ||
      /Code Signature Invalid/.test(value.signal + value.exceptionType + value.termination);
    // A broken launch constraint is another refusal, with a rule of its own.
    if (!isCode || value.terminationCode === 4 || /Launch Constraint/i.test(value.termination)) return [];
    const frames = value.threads.find(({ isTriggered }) => isTriggered)?.frames ?? [];
    const isEarly =
      frames.length === 0 ||
      (frames.length <= 2 && frames.every(({ symbol }) => /^_dyld_start|^start$|^$/.test(symbol)));
    const isPage = value.terminationCode === 2 || /Invalid Page/i.test(value.termination);
    const time = /\d\d:\d\d:\d\d/.exec(value.time)?.[0] ?? "";
    const name = value.process || value.bundleIdentifier || "The program";
    const code = value.terminationCode < 0 ? "" : ` (CODESIGNING, code ${value.terminationCode})`;
    return [
      {
        score: 90,
        claim: isPage
          ? `${name} was ended by code signing: a page of its code does not fit the signature any more${code}.`
          : isEarly
            ? `${name} was ended at launch by code signing, before any of its code ran${code}.`
            : `${name} was ended by code signing${code}.`,
        because: [place],
        about: [value.process, value.bundleIdentifier].filter((word) => word !== ""),
        why: isPage
          ? "Each page of code is compared with the signature when it is read. The file was changed or replaced in place after it had been signed, or while it was running."
          : "The program was changed after signing, is not properly signed, or claims a restricted entitlement that no embedded profile allows. The report cannot tell which of the three; the log of that second can.",
        fix: isPage
          ? [
              "Install by writing a new file and renaming it, never by copying over the old one; then sign again.",
              ...inspect(value.path, time),
            ]
          : inspect(value.path, time),
        missing: [`the lines of amfid and taskgated-helper${time === "" ? "" : ` at ${time}`}`],
      },
    ];
  });
}

/** A shell says only that something was killed: with a restricted entitlement in sight that is why. */
function shells(evidence: Evidence, isExplained: boolean): Finding[] {
  const killed = spoken(evidence, shellKilled);
  const status = spoken(evidence, status137);
  const hits = [...killed, ...status];
  if (hits.length === 0 || isExplained) return [];
  const program = killed.map(({ match }) => match[1]).find((word) => word !== "") ?? "";
  const claimed = listsOf(evidence, "entitlements").flatMap((list) =>
    Object.keys(list.value.value)
      .filter((key) => isRestrictedEntitlement(key) && !/identifier|keychain/.test(key))
      .map((key) => ({ key, place: list.value.placeOf(key) })),
  );
  const because = hits.slice(0, 3).map(({ place }) => place);
  const [first] = claimed;
  const isBundled = /\.(?:app|dext|appex|xpc)\/Contents\//.test(program);
  if (first !== undefined && isBundled)
    return [
      {
        score: 60,
        claim: `${program} was killed at launch, and claims the restricted entitlement ${first.key}: the profile in its bundle has to authorise that, and none is among the evidence.`,
        because: [...because, first.place],
        about: [first.key],
        why: "The system kills a program before its first instruction when no embedded profile authorises a restricted entitlement that it claims, when its profile is another team's or has expired, and when its signature does not hold. The shell shows 137, which is 128 + SIGKILL, for each of them.",
        missing: [
          "Contents/embedded.provisionprofile of the bundle",
          "the lines of amfid and taskgated-helper in that second",
        ],
      },
    ];
  if (first === undefined)
    return [
      {
        score: 42,
        claim: `${program || "The program"} was killed (137 is 128 + SIGKILL): at launch that is mostly the code signature or a restricted entitlement, later mostly memory.`,
        because,
        missing: [
          "codesign -dvvv --entitlements - of the program",
          "the lines of amfid and the kernel (AMFI) in that second",
        ],
      },
    ];
  return [
    {
      score: 82,
      claim: `${program || "The program"} was killed at launch because of the restricted entitlement ${first.key}: no profile authorises it for a bare executable.`,
      because: [...because, first.place],
      about: [first.key],
      why: "A restricted entitlement counts only with an embedded profile, and a command line tool has no place for one. So the system kills it before its first instruction; the shell shows 137, which is 128 + SIGKILL.",
      fix: [
        "Wrap the tool in an app bundle that embeds a profile, and start the executable inside the bundle.",
        "Or take the entitlement away: for development allow-any-userclient-access on the driver lets every program open it.",
      ],
    },
  ];
}
