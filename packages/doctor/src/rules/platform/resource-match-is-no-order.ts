// NT-673038: iOResourceMatch is a condition for starting, not an order.

import { watch } from "../../evidence/watch.ts";
import { personalities, spoken } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

const early = watch(
  ["/dev/"],
  /\/dev\/(?!null\b)[\w.]{1,80}.{0,80}?\b(?:No such file|does not exist|not found|ENOENT|not there yet)\b/i,
);

export const resourceMatchIsNoOrder: Rule = {
  id: "NT-673038",
  title: "IOResourceMatch is a condition for starting, not an order",
  severity: "warning",
  certainty: "established",
  source: "xnu-11417 IOResources; forum thread 673038",
  needs: ["Info.plist", "log"],
  why: "IOResourceMatch delays the start of a driver until a resource is published. It says nothing about other drivers of the same provider, and a published IOBSD does not mean that a certain node in /dev is there already.",
  fix: [
    "Wait for what is really needed: a matching notification (IOServiceNotificationDispatchSource) for the sibling or for the node's service.",
    "Open the node from the app, when its service appears.",
  ],
  who: "you",
  watches: [early],
  judge(evidence) {
    const missing = spoken(evidence, early);
    return personalities(evidence).flatMap((personality): Finding[] => {
      const resource = personality.value.IOResourceMatch;
      if (typeof resource !== "string" || missing.length === 0 || personality.value.IOUserClass === undefined)
        return [];
      return [
        {
          score: 58,
          claim: `${personality.name} waits for ${resource} and then looks for a node of /dev that is not there: IOResourceMatch starts a driver, it orders nothing.`,
          because: [personality.placeOf("IOResourceMatch"), missing[0].place],
        },
      ];
    });
  },
};
