// DR20-4: newUserClient and Start run before the kernel's verdict.

import { watch } from "../../evidence/watch.ts";
import { perHit } from "../questions.ts";
import type { Rule } from "../rule.ts";

const begun = watch(["NewUserClient", "UserClient"], /NewUserClient|UserClient.{0,40}\bStart\b/i);
const refused = watch(
  ["UC entitlements check failed"],
  /DK: (\S{1,200}?)-0x[0-9a-f]{1,16}:UC entitlements check failed/,
);

export const verdictAfterStart: Rule = {
  id: "DR20-4",
  title: "NewUserClient and Start run before the kernel's verdict",
  severity: "note",
  certainty: "established",
  source: "xnu-11417 IOUserServer::serviceNewUserClient",
  needs: ["log"],
  why: "The kernel lets the dext make the user client first and decides about entitlements afterwards. So the dext's own lines of NewUserClient, init and Start come before the refusal, and Stop and free after it.",
  fix: ["Nothing: this order is no fault of the driver. Look at the refusal."],
  who: "you",
  watches: [begun, refused],
  judge(evidence) {
    const before = evidence.hits(begun).filter((hit) => !hit.row.message.startsWith("DK:"));
    return perHit(evidence, refused, ({ match, place }) =>
      before.some((hit) => hit.place.file === place.file && hit.place.line < place.line)
        ? {
            score: 35,
            claim: `The driver's NewUserClient and Start ran before ${match[1]} was refused; that is the kernel's normal order.`,
            about: [match[1]],
          }
        : null,
    );
  },
};
