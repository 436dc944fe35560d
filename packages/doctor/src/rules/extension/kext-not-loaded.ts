// FX-KEXT: a kernel extension was not loaded: its architecture, the policy, or what it needs.

import { watch } from "../../evidence/watch.ts";
import { refused } from "../../facts/statement.ts";
import { isLoadersWord, kextCodes } from "../kext-codes.ts";
import { spoken } from "../questions.ts";
import type { Actor, Finding, Rule } from "../rule.ts";

export const kextRefused = watch(
  [
    "KMErrorDomain",
    "kext load failed",
    "Incompatible architecture",
    "-6039470",
    "0xdc008",
    "0xdc00400",
    "needed arch",
    "not approved to load",
  ],
  /KMErrorDomain[^\d\n]{0,20}(\d{1,3})\b|(Incompatible architecture|needed arch arm64e)|kext load failed: ?(-\d{6,10}|0x[0-9a-f]{8})|(not approved to load)/,
);
const architecture = watch(
  ["Incompatible architecture", "needed arch", "Binary is for"],
  /(?:Incompatible architecture: ?)?Binary is for ([\w, ]{2,60}), but needed arch (\w+)|Incompatible architecture/,
);

interface Cause {
  readonly claim: string;
  readonly fix: string;
  readonly who: Actor;
}
/** KextManager's numbers, as far as public reports tell them. */
const numbers: Readonly<Record<number, Cause>> = {
  27: {
    claim: "the user or the administrator has not approved it",
    fix: "Approve it in System Settings, Privacy & Security, and restart; on Apple silicon lower the security policy in Recovery first.",
    who: "you",
  },
  28: {
    claim: "the auxiliary kernel collection with it has not been built or loaded yet",
    fix: "Restart the Mac: a kernel extension is loaded from the auxiliary collection, which is built at the restart.",
    who: "you",
  },
  31: {
    claim: "something that it depends on was not found",
    fix: "kmutil log and kmutil inspect name the missing library.",
    who: "the vendor of the kernel extension",
  },
};

export const kextNotLoaded: Rule = {
  id: "FX-KEXT",
  title: "A kernel extension was not loaded",
  severity: "error",
  certainty: "likely",
  source: "kmutil's and kernelmanagerd's messages (KMErrorDomain), as public reports have them",
  needs: ["log"],
  why: "Kernel extensions of other vendors are loaded from a collection that is built at a restart, after approval, and only with code for this very processor: arm64e on Apple silicon.",
  fix: ["Ask the vendor for a version for this processor and system; most have moved to driver extensions."],
  who: "the vendor of the kernel extension",
  states: refused("loading the kernel extension"),
  watches: [kextRefused, architecture],
  judge(evidence) {
    const hits = spoken(evidence, kextRefused);
    const [first] = hits;
    if (first === undefined) return [];
    const arch = spoken(evidence, architecture)[0];
    const because = hits.slice(0, 3).map(({ place }) => place);
    if (arch !== undefined) {
      const needed = arch.match[2] ?? "arm64e";
      return [
        {
          score: 90,
          claim: `The kernel extension has no ${needed} code${arch.match[1] === undefined ? "" : `: it is built for ${arch.match[1].trim()}`}, so this Mac cannot load it.`,
          because: [...because, arch.place].slice(0, 3),
          about: [needed],
          fix: [`Get a version with an ${needed} slice from its vendor, or a driver extension in its place.`],
        } satisfies Finding,
      ];
    }
    // The loader's own number or words say more than the domain's.
    const told = kextCodes.find(
      ({ number, names, domain }) =>
        domain === "kext loader" &&
        number !== 0xdc008001 &&
        hits.some(
          ({ place: { text } }) =>
            names.some((name) => isLoadersWord(name, text)) || text.includes(`${(number ?? 0) | 0}`),
        ),
    );
    if (told !== undefined)
      return [
        {
          score: 82,
          claim: `The kernel extension was not loaded: ${told.means.replace(/ \(loader of kernel extensions\)$/, "")} (${told.names[0]}).`,
          because,
          about: [told.names[0]],
          fix: [told.fix],
        },
      ];
    const numbered = hits.find(({ match }) => match[1] !== undefined);
    const cause = numbered === undefined ? undefined : numbers[Number(numbered.match[1])];
    const isApproval = hits.some(({ match }) => match[4] !== undefined);
    const known = isApproval ? numbers[27] : cause;
    return [
      {
        score: known === undefined ? 56 : 80,
        claim: `The kernel extension was not loaded${known === undefined ? `${numbered === undefined ? "" : ` (KMErrorDomain ${numbered.match[1]})`}: the loader gives a general error` : `: ${known.claim}`}.`,
        because,
        ...(known === undefined ? {} : { fix: [known.fix], who: known.who }),
        missing: known === undefined ? ["the line after it, or kmutil log: it has the reason"] : [],
      },
    ];
  },
};
