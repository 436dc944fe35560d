// FX-CDHASH: the kernel still knows an older build of this driver.

import { watch } from "../../evidence/watch.ts";
import { refused } from "../../facts/statement.ts";
import { spoken } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

const stale = watch(
  ["CDHash check failed"],
  /DK: IOUserServer\(([^()\s]{1,255}?)-0x[0-9a-f]{1,16}\)::exit\(CDHash check failed\)/,
);

export const olderBuildKnown: Rule = {
  id: "FX-CDHASH",
  title: "The kernel still knows an older build of this driver",
  severity: "error",
  certainty: "established",
  source: "xnu-11417 IOUserServer::exit(CDHash check failed)",
  needs: ["log", "system extensions list"],
  why: "The personality that matched was registered for a build with another code hash. The process that started is a newer or an older build, so the kernel ends it.",
  fix: [
    "Deactivate the extension and restart, or raise CFBundleVersion and activate again.",
    "In the lab systemextensionsctl reset, with System Integrity Protection off, forgets all registrations.",
  ],
  who: "you",
  states: refused("the kernel knows another code hash"),
  watches: [stale],
  judge(evidence) {
    return spoken(evidence, stale).map(
      ({ match, place }): Finding => ({
        score: 94,
        claim: `${match[1]} was ended because its code hash is not the registered one: the kernel still knows another build.`,
        because: [place],
        about: [match[1]],
      }),
    );
  },
};
