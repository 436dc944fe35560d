// FX-SLEEP-TIMEOUT: the system's sleep or wake did not finish.

import { watch } from "../../evidence/watch.ts";
import { spoken } from "../questions.ts";
import type { Actor, Finding, Rule } from "../rule.ts";

const late = watch(
  ["transition timed out after"],
  /(Sleep|Wake|Power)\w* transition timed out after (\d{1,5}) seconds(?: while ([^.:]{1,160}))?(?:.{0,200}?Suspected bundle: ([\w.-]{3,200}?)\.?(?:\s|$))?/i,
);

/** Whose the suspected bundle is; without one the stackshot has to say, and Apple reads it. */
function actorOf(bundle: string | undefined): Actor {
  if (bundle === undefined || bundle.startsWith("com.apple.")) return "Apple";
  return /\bkext\b/i.test(bundle) ? "the vendor of the kernel extension" : "the vendor of the driver";
}

export const sleepDidNotFinish: Rule = {
  id: "FX-SLEEP-TIMEOUT",
  title: "The system's sleep or wake did not finish",
  severity: "error",
  certainty: "established",
  source: "xnu-11417 IOPMrootDomain (panic text)",
  needs: ["panic report"],
  why: "Some driver or program did not answer the notification of sleep or wake, and the system gave up after three minutes. The text names the step, and often the entry that it waited for.",
  fix: [
    "Look at the entry or class that the text or the stackshot names.",
    "In a driver: answer every power change at once, call super's SetPowerState on every path, and do the device's work afterwards.",
  ],
  who: "Apple",
  watches: [late],
  judge(evidence) {
    return spoken(evidence, late).map(
      ({ match, place }): Finding => ({
        score: match[4] === undefined ? 60 : 70,
        claim: `The ${match[1].toLowerCase()} transition did not finish within ${match[2]} s${match[3] === undefined ? "" : ` while ${match[3].trim()}`}${match[4] === undefined ? "" : `; the kernel suspects ${match[4]}`}.`,
        because: [place],
        who: actorOf(match[4]),
        about: match[4] === undefined ? [] : [match[4]],
        missing: ["the whole panic report: it names what was waited for"],
      }),
    );
  },
};
