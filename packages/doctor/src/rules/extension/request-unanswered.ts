// NT-806336: a request for an entitlement is unanswered or refused.

import { watch } from "../../evidence/watch.ts";
import { spoken } from "../questions.ts";
import type { Rule } from "../rule.ts";

const request = watch(
  ["capability request", "entitlement request", "request for"],
  /\b(?:(?:capability|entitlement) request|request for \S{0,60}(?:entitlement|UserClient Access|userclient-access|driverkit))\b.{0,200}?\b(?:rejected|denied|declined|no (?:answer|reply|response)|unanswered|pending)\b/i,
);

export const requestUnanswered: Rule = {
  id: "NT-806336",
  title: "A request for an entitlement is unanswered or refused",
  severity: "note",
  certainty: "likely",
  source: "forum threads 806336 and 809202",
  needs: ["text"],
  why: "Apple reviews requests for distribution. A form without the driver's bundle id or without the reason for which it is distributed is rejected; development needs no request for most DriverKit entitlements.",
  fix: [
    "Name the driver's bundle id and what it is distributed for, one request per entitlement.",
    "For development use the development variants of the portal's Capabilities; userclient-access has none, use allow-any-userclient-access.",
  ],
  who: "your team's admin",
  watches: [request],
  judge(evidence) {
    const hits = spoken(evidence, request);
    return hits.length === 0
      ? []
      : [
          {
            score: 52,
            claim: "A request for an entitlement is refused or unanswered; development does not need it.",
            because: [hits[0].place],
          },
        ];
  },
};
