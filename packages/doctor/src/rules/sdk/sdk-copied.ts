// DR03-2: the driver is built with a DriverKit SDK that was copied into another Xcode.

import { watch } from "../../evidence/watch.ts";
import { listsOf } from "../../signing/entitlement-lists.ts";
import type { Finding, Rule } from "../rule.ts";

const sdkPath = watch(
  ["DriverKit"],
  /(?:SDKROOT\s*=\s*|-isysroot\s+|--sdk\s+)"?((?:\/[^\n"/]{1,200}){1,20}?)\/(DriverKit(\d{1,3}\.\d{1,2})?(?:\.Internal)?\.sdk)\b/,
);
/** Where Xcode keeps the SDK that it ships. */
const ownFolder = /\/Platforms\/DriverKit\.platform\/Developer\/SDKs$/;

/** DTXcode of an Info.plist -> the DriverKit SDK of that Xcode. 1630: E (posts.md P03); the others L. */
const sdkOfXcode: Readonly<Record<string, string>> = {
  "1600": "24.0",
  "1620": "24.2",
  "1630": "24.4",
  "1640": "24.5",
  "2600": "25.0",
};

export const sdkCopied: Rule = {
  id: "DR03-2",
  title: "The driver is built with a DriverKit SDK that was copied into another Xcode",
  severity: "warning",
  certainty: "likely",
  source: "forum thread 796009; Xcode ships one DriverKit SDK",
  needs: ["log", "Info.plist"],
  why: "Xcode supports the DriverKit SDK that it ships. Another SDK in its platform folder meets tools, generators and interface files that it was not made with, which gives odd warnings and errors.",
  fix: [
    "Leave SDKROOT = driverkit, and build with the Xcode that came with the SDK you need (xcode-select or DEVELOPER_DIR per build).",
  ],
  who: "you",
  watches: [sdkPath],
  judge(evidence) {
    const findings: Finding[] = [];
    const hits = evidence.hits(sdkPath);
    const versions = new Map<string, Set<string>>();
    for (const { match, place } of hits) {
      const [, folder, name, version] = match;
      if (!ownFolder.test(folder))
        findings.push({
          score: 82,
          claim: `The build takes ${name} from ${folder}, which is not the place of an Xcode's own SDK.`,
          because: [place],
        });
      if (version !== undefined) versions.set(folder, (versions.get(folder) ?? new Set()).add(version));
    }
    for (const [folder, found] of versions) {
      if (found.size < 2 || !ownFolder.test(folder)) continue;
      findings.push({
        score: 80,
        claim: `One Xcode is used with several DriverKit SDKs (${[...found].sort().join(", ")}); it ships one.`,
        because: hits.filter(({ match }) => match[1] === folder).map(({ place }) => place),
      });
    }
    for (const { value } of listsOf(evidence, "Info.plist")) {
      const sdk = /^driverkit(\d{1,3}\.\d{1,2})$/.exec(String(value.value.DTSDKName))?.[1];
      const own = sdkOfXcode[String(value.value.DTXcode)];
      if (sdk === undefined || own === undefined || sdk === own) continue;
      findings.push({
        score: 78,
        claim: `The driver was built with DriverKit ${sdk} by an Xcode (${String(value.value.DTXcode)}) that ships ${own}.`,
        because: [value.placeOf("DTSDKName"), value.placeOf("DTXcode")],
      });
    }
    return findings;
  },
};
