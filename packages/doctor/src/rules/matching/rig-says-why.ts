// FX-RIG: a line of Drydock's own log says what the machine declined, or what a driver forgot, and why.

import { type Watch, watch } from "../../evidence/watch.ts";
import { perHit } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

const notRunning = watch(
  ["does not run on"],
  /(\S{1,200}) \(personality (\S{1,200}) of (\S{1,255})\) does not run on \S{1,1000}: (.{1,400})/,
);
const matchesNothing = watch(
  ["matches nothing: ", "does not match "],
  /personality (\S{1,200}) of (\S{1,255}) (?:matches nothing|does not match \S{1,1000}): (.{1,400})/,
);
const noSuperStart = watch(
  ["without super.start"],
  /(\S{1,200}) \((\S{1,255})\): Start returned without super\.start/,
);
const noSuperStop = watch(
  ["not called super.stop"],
  /(\S{1,200}) \((\S{1,255})\) was stopped and has not called super\.stop/,
);
const unawaited = watch(
  ["nobody awaited this call"],
  /(\S{1,255}) \(.{1,200}?\): (\S{1,200}) .{0,1000}failed with (\w{1,60}).{0,400}nobody awaited this call/,
);
const unsent = watch(
  ["the line took nothing"],
  /IOSerialBSDClient: (\S{1,200}): closed with (.{1,60}?) unsent: the line took nothing for 30 s/,
);
const refusedSetting = watch(
  ["IOSerialBSDClient: "],
  /IOSerialBSDClient: (\S{1,200}): (Hw\w{1,40}) of (\S{1,200}) failed with (0x[0-9a-f]{8})(?:: (.{1,200}))?/,
);

const isOfSystem = /runs no driver extensions$|has no \w{1,20} family for drivers/;

/** Each line, and what it says in one sentence about whom. */
const lines: readonly [
  Watch,
  (match: RegExpExecArray) => { readonly claim: string; readonly about: string },
][] = [
  [
    notRunning,
    ([, name, , bundle, why]) => ({ claim: `${name} matched and does not run: ${why}`, about: bundle }),
  ],
  [
    matchesNothing,
    ([, personality, bundle, why]) => ({
      claim: `personality ${personality} does not match: ${why}`,
      about: bundle,
    }),
  ],
  [
    noSuperStart,
    ([, name, bundle]) => ({
      claim: `${name} overrides Start and does not call its superclass: a real IOService is not started then.`,
      about: bundle,
    }),
  ],
  [
    noSuperStop,
    ([, name, bundle]) => ({
      claim: `${name} does not call super.stop: it keeps its provider, and the device never leaves the registry.`,
      about: bundle,
    }),
  ],
  [
    unawaited,
    ([, process, call, code]) => ({
      claim: `${process} ignores the result of ${call}, which was ${code}: the call is not awaited.`,
      about: process,
    }),
  ],
  [
    unsent,
    ([, port, what]) => ({
      claim: `${port} was closed with ${what} unsent: the other end held the line by flow control, or is not there.`,
      about: port,
    }),
  ],
  [
    refusedSetting,
    ([, port, call, driver, code, words]) => ({
      claim: `${driver} refused ${call} for ${port} (${code}${words === undefined ? "" : `: ${words}`}): the settings before it stay.`,
      about: port,
    }),
  ],
];

export const rigSaysWhy: Rule = {
  id: "FX-RIG",
  title: "Drydock's own log says what was declined, and why",
  severity: "error",
  certainty: "established",
  source: "Drydock's unified log, lines of the process drydock",
  needs: ["log"],
  why: "A real system is silent where a driver matches and does not start, forgets its superclass, or ignores a refusal. A rig knows the reason and says it in a line of its own.",
  fix: [
    "Read the line: it has the driver's own words where the driver gave any (this.failure(code, call, words)).",
    "Call super.start(provider) first and super.stop(provider) last; await every framework call, or catch what it rejects with.",
  ],
  who: "you",
  watches: lines.map(([watched]) => watched),
  judge(evidence) {
    return lines.flatMap(([watched, say]) =>
      perHit(evidence, watched, ({ match }): Omit<Finding, "because"> => {
        const { claim, about } = say(match);
        // What a system lacks as a whole has a rule of its own (DR10-1, DR10-2), which says what to do instead.
        return { score: isOfSystem.test(claim) ? 60 : 90, claim, about: [about] };
      }),
    );
  },
};
