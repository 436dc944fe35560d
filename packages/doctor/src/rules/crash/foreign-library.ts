// FX-FOREIGN-LIBRARY: a missing library ended a process before its first instruction: whose library it is.

import type { Finding, Rule } from "../rule.ts";

export const foreignLibrary: Rule = {
  id: "FX-FOREIGN-LIBRARY",
  title: "A library could not be loaded, and the process was ended before it began",
  severity: "error",
  certainty: "established",
  source: "dyld's messages; DriverKit's own platform has no Foundation and no AppKit",
  needs: ["crash report"],
  why: 'The dynamic linker ends a process when one library that somebody wants cannot be found. "Referenced from" names who wants it. A driver extension lives on DriverKit\'s own platform, where frameworks of macOS do not exist.',
  fix: ['Look at who wants the library: the line "Referenced from".'],
  who: "the vendor of the other product",
  judge(evidence) {
    return evidence.facts("crash").flatMap(({ place, value }): Finding[] => {
      const text = [...value.information, value.termination].join("\n");
      const library = /Library not loaded: ?'?([^\s'"]{2,400})/.exec(text)?.[1];
      if (library === undefined) return [];
      const by = /Referenced from: ?'?(?:<[0-9A-Fa-f-]{36}> )?([^\n'"]{2,400}?)'?\s*(?:\n|$| Reason)/.exec(
        text,
      )?.[1];
      const own = by === undefined || isOwn(by, value.path, value.process, value.bundleIdentifier);
      const process = value.process || "the process";
      const subject = value.isDext ? `the driver ${process}` : process;
      if (!own)
        return [
          {
            score: value.isDext ? 92 : 78,
            claim: `${by} is put into the process of ${subject} by another product; it wants ${library}, which cannot be loaded there, so ${subject} is ended before it begins.`,
            because: [place],
            about: [value.process, by],
            why: `"Referenced from" names ${by}: ${short(library)} is wanted by that library, and ${subject} itself does not ask for it. ${value.isDext ? "A driver extension lives on DriverKit's own platform, which has no Foundation, so such a library can never be loaded there." : "It reaches the process by an injection (DYLD_INSERT_LIBRARIES, a security or management product)."}`,
            fix: [
              `Find the product that installed ${by}, and have its vendor or the administrator leave driver extensions out of it.`,
              "Until then remove that product, or its library, and start the driver again.",
            ],
            who: "the vendor of the other product",
          },
        ];
      return [
        {
          score: 80,
          claim: `${subject} wants ${library}, which ${value.isDext && !/DriverKit/.test(library) ? "DriverKit's platform does not have" : "could not be loaded"}.`,
          because: [place],
          about: [value.process],
          who: value.isDext ? "the vendor of the driver" : "the developer of the program",
          fix: [
            value.isDext
              ? "Take that framework out of the driver's target: only what lies under /System/DriverKit can be linked."
              : "Ship the library inside the bundle with an @rpath that finds it, or build against what the oldest system has.",
          ],
        },
      ];
    });
  },
};

function isOwn(by: string, path: string, process: string, bundle: string): boolean {
  const parts = by.split("/");
  return (
    by === path ||
    parts.at(-1) === process ||
    (bundle !== "" && by.includes(`${bundle}.`)) ||
    (bundle !== "" && parts.includes(bundle)) ||
    /SystemExtensions\//.test(by) ||
    (/\.app\//.test(by) && path !== "" && by.split(".app/")[0] === path.split(".app/")[0])
  );
}

const short = (path: string): string => path.split("/").at(-1) ?? path;
