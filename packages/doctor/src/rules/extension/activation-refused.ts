// NT-814055: the system refused to activate the extension.

import { watch } from "../../evidence/watch.ts";
import { spoken } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

/** OSSystemExtensionError.Code, in words of our own. */
const codes: Readonly<Record<number, string>> = {
  1: "for an unknown reason",
  2: "because the app lacks com.apple.developer.system-extension.install",
  3: "because the app is not in /Applications",
  4: "because the app's bundle holds no extension of that id",
  5: "because the extension has no bundle id",
  6: "because another extension has the same id",
  7: "because the extension's category is unknown",
  8: "because a code signature is invalid",
  9: "because the extension's bundle did not pass validation",
  10: "because the system's policy (a profile of device management) forbids it",
  11: "because the request was cancelled",
  12: "because a later request took its place",
  13: "because somebody has to authorise it first",
};
const failed = watch(
  ["OSSystemExtensionErrorDomain"],
  /OSSystemExtensionErrorDomain(?:"|'|\b)[^\d-]{0,40}?(?:[Cc]ode[=: ]{1,3}|error )?(\d{1,2})\b/,
);

export const activationRefused: Rule = {
  id: "NT-814055",
  title: "The system refused to activate the extension",
  severity: "error",
  certainty: "established",
  source: "Apple, OSSystemExtensionError; forum thread 814055",
  needs: ["log"],
  why: "OSSystemExtensionErrorDomain tells at which check the activation stopped. Number 9 is the validation of the extension's bundle: keys of the Info.plist, signature, version or nesting; the lines of sysextd and of code signing just before name the one.",
  fix: [
    "Read the lines of sysextd, amfid and taskgated-helper in the second before the error.",
    "Check what this code names, build again with a higher CFBundleVersion, and activate from /Applications.",
  ],
  who: "you",
  watches: [failed],
  judge(evidence) {
    return spoken(evidence, failed).map(({ match, place }): Finding => {
      const reason = codes[Number(match[1])] ?? `with the number ${match[1]}, which is new`;
      return {
        score: match[1] === "1" ? 56 : 84,
        claim: `The extension was not activated ${reason} (OSSystemExtensionErrorDomain ${match[1]}).`,
        because: [place],
        about: [`OSSystemExtensionErrorDomain ${match[1]}`],
        missing:
          match[1] === "9" || match[1] === "1"
            ? ["the lines of sysextd, amfid and taskgated-helper just before"]
            : [],
      };
    });
  },
};
