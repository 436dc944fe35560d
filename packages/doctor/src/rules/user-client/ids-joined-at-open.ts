// NT-825971: iOServiceOpen fails where the profile holds several bundle ids in one string.

import { watch } from "../../evidence/watch.ts";
import { refused } from "../../facts/statement.ts";
import { allowlistOf, driverKit, listsOf } from "../../signing/entitlement-lists.ts";
import { spoken, stringsOf } from "../questions.ts";
import type { Rule } from "../rule.ts";

const failed = watch(
  ["0xe00002bc", "kIOReturnError", "-536870212"],
  /IOServiceOpen.{0,120}?(?:0xe00002bc|kIOReturnError\b|-536870212)|(?:0xe00002bc|kIOReturnError\b|-536870212).{0,120}?IOServiceOpen/i,
);
const key = `${driverKit}.userclient-access`;

export const idsJoinedAtOpen: Rule = {
  id: "NT-825971",
  title: "IOServiceOpen fails where the profile holds several bundle ids in one string",
  severity: "error",
  certainty: "likely",
  source: "forum thread 825971",
  needs: ["log", "entitlements"],
  why: "The portal stored the ids of userclient-access as one string with line breaks. The kernel compares whole elements, so no driver is named; on some systems the call answers kIOReturnError instead of kIOReturnNotPermitted.",
  fix: [
    "Have Apple store the ids one by one, and regenerate the profile.",
    "Until then use allow-any-userclient-access (development) on the driver.",
  ],
  who: "Apple",
  states: refused("IOServiceOpen"),
  watches: [failed],
  judge(evidence) {
    const calls = spoken(evidence, failed);
    if (calls.length === 0) return [];
    const lists = [
      ...listsOf(evidence, "entitlements").map((list) => ({
        value: list.value.value,
        place: list.value.placeOf(key),
      })),
      ...listsOf(evidence, "provisioning profile").map((list) => ({
        value: allowlistOf(list),
        place: list.value.placeOf("Entitlements"),
      })),
    ];
    const joined = lists.find(({ value }) =>
      stringsOf(value[key]).some((item) => item.trim().includes("\n")),
    );
    return joined === undefined
      ? []
      : [
          {
            score: 93,
            claim:
              "IOServiceOpen answers 0xe00002bc, and userclient-access holds several ids in one string: no driver is named by it.",
            because: [calls[0].place, joined.place],
          },
        ];
  },
};
