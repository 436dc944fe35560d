// FX-INVALID: sysextd called an extension invalid and took it away again.

import { watch } from "../../evidence/watch.ts";
import { refused } from "../../facts/statement.ts";
import { spoken } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

const invalid = watch(
  ["invalid extension", "failed to validate", "validation failed"],
  /uninstalling invalid extension (?:with identifier )?"?([\w.-]{3,255})|extension "?([\w.-]{3,255})"? (?:failed validation|is invalid|failed to validate)/,
);

export const validationFailed: Rule = {
  id: "FX-INVALID",
  title: "The system found the extension invalid and took it away again",
  severity: "error",
  certainty: "established",
  source: "sysextd's own lines; Apple, OSSystemExtensionError validationFailed",
  needs: ["log"],
  why: "sysextd stages an extension, validates it, and uninstalls what does not pass. What it looks at is the signature, entitlements that a profile has to authorise, and keys of the Info.plist. sysextd does not say which; amfid and taskgated-helper do, in the same second.",
  fix: [
    "codesign -dvvv and codesign -d --entitlements - --xml of the .dext inside the app, and codesign --verify --deep --strict of the app.",
    'Read the lines of amfid and taskgated-helper of the same second: log show --predicate \'process == "amfid" OR process == "taskgated-helper" OR process == "sysextd"\'.',
    "Check the Info.plist: CFBundleIdentifier, CFBundleVersion, OSBundleUsageDescription, CFBundlePackageType DEXT.",
  ],
  who: "you",
  states: refused("sysextd found the extension invalid"),
  watches: [invalid],
  judge(evidence) {
    return spoken(evidence, invalid).map(({ match, place, row }): Finding => {
      const id = (match[1] ?? match[2]).replace(/\.$/, "");
      return {
        score: 90,
        claim: `Validation of the extension ${id} failed: sysextd says "uninstalling invalid extension" and takes it away.`,
        because: [place],
        about: [id],
        missing: [
          `the lines of amfid and taskgated-helper${row.time === "" ? "" : ` at ${row.time.slice(11, 19)}`}`,
          "codesign -dvvv and --entitlements of the .dext",
        ],
      };
    });
  },
};
