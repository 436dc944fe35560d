// NT-824746: activation goes no further than the attempt to realize the extension.

import { type Hit, watch } from "../../evidence/watch.ts";
import { currentRows } from "../extension-lists.ts";
import { spoken } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

const realize = watch(
  ["attempting to realize extension"],
  /attempting to realize extension with identifier ([\w.-]{3,255})/,
);
/** What the app is told at the end: whatever the lists said before, it went through. */
const ended = watch(
  ["didFinishWithResult"],
  /didFinishWithResult\S{0,20}\s+([\w.-]{3,255})\s+(?:completed|willCompleteAfterReboot)/,
);
/** What sysextd says when it goes on. */
const further = watch(
  ["staging extension with identifier", "Making activation decision"],
  /(?:staging extension with identifier|Making activation decision\b.{0,200}?identifier) ([\w.-]{3,255})/,
);
const states: readonly (readonly [RegExp, string])[] = [
  [/waiting to uninstall on reboot/, "its previous version waits for a restart"],
  [/waiting for user/, "the user has not approved it"],
  [/terminating/, "its previous version is still terminating"],
];

export const stuckAtRealize: Rule = {
  id: "NT-824746",
  title: "Activation goes no further than the attempt to realize the extension",
  severity: "error",
  certainty: "likely",
  source: "forum thread 824746",
  needs: ["log", "system extensions list"],
  why: "sysextd goes on only when the previous version of the extension is gone and the user has approved. A version that waits for a restart, or an approval nobody gave, leaves this line as the last one.",
  fix: [
    "List the states: systemextensionsctl list.",
    "Terminated waiting to uninstall on reboot: restart the Mac.",
    "Activated waiting for user: approve it in System Settings, General, Login Items & Extensions (or Privacy & Security).",
  ],
  who: "you",
  watches: [realize, further, ended],
  judge(evidence) {
    const last = new Map<string, Hit>();
    for (const hit of spoken(evidence, realize)) last.set(hit.match[1].replace(/\.$/, ""), hit);
    return [...last].flatMap(([id, hit]): Finding[] => {
      const isEnded = spoken(evidence, ended).some(
        ({ match, place }) => match[1] === id && place.file === hit.place.file && place.line > hit.place.line,
      );
      if (isEnded) return [];
      const rows = currentRows(evidence).filter(({ value }) => value.bundleIdentifier === id);
      if (rows.some(({ value }) => value.state === "activated enabled") && rows.length === 1) return [];
      const isFurther = spoken(evidence, further).some(({ match }) => match[1].replace(/\.$/, "") === id);
      if (isFurther && rows.length === 0) return [];
      const found = rows.flatMap((row) => {
        const state = states.find(([pattern]) => pattern.test(row.value.state));
        return state === undefined ? [] : [{ place: row.place, text: state[1] }];
      });
      return [
        {
          score: found.length > 0 ? 92 : 45,
          claim: `The activation of ${id} goes no further than "attempting to realize extension"${found.length > 0 ? `: ${found[0].text}` : ""}.`,
          because: [hit.place, ...found.slice(0, 1).map(({ place }) => place)],
          about: [id],
          missing:
            found.length > 0 ? [] : ["systemextensionsctl list", "the lines of sysextd after this one"],
        },
      ];
    });
  },
};
