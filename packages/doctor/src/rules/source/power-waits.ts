// DR15-3: SetPowerState waits.

import { numberOf, type SourceCall } from "../../source/source-file.ts";
import type { Rule } from "../rule.ts";
import { isDext, nameOf, perFunction } from "../source-questions.ts";

export const powerWaits: Rule = {
  id: "DR15-3",
  title: "SetPowerState waits instead of acknowledging",
  severity: "warning",
  certainty: "established",
  source: "xnu IOServicePM: 20 s from the call to the acknowledgement, and no way to have more",
  needs: ["source"],
  why: "The kernel allows 20 seconds from the call to the acknowledgement. A drive that spins up in 25 takes a driver that waits for it over that limit, and the machine panics.",
  fix: [
    "Acknowledge at once by calling super, and go on with the device in a later turn; answer I/O with BUSY or NOT READY until it is done.",
    "Make the device's own work short: START STOP UNIT with IMMED before the transition, caches kept clean.",
  ],
  who: "you",
  judge(evidence) {
    return perFunction(evidence, (one, file) => {
      if (one.name !== "SetPowerState" || !isDext(file)) return [];
      const waits = one.calls.filter((call) => isWait(call) && call.node.above("lambda_expression") === null);
      if (waits.length === 0) return [];
      return [
        {
          score: 72,
          claim: `${nameOf(one)} waits in ${[...new Set(waits.map(({ name }) => name))].join(", ")}.`,
          because: waits.map(({ node }) => file.placeOf(node)),
          about: [one.className],
        },
      ];
    });
  },
};

/** A sleep that repeats or takes a second, or a call that comes back when a device has answered. */
function isWait(call: SourceCall): boolean {
  if (/^(?:UserSendCDB|Sleep(?:WithDeadline|WithTimeout)?|Wait)$/.test(call.name)) return true;
  if (!/^(?:IOSleep|IODelay|usleep|sleep|nanosleep)$/.test(call.name)) return false;
  const isRepeated = call.node.above("for_statement", "while_statement", "do_statement") !== null;
  const milliseconds = numberOf(call.args[0]);
  return isRepeated || milliseconds === null || (call.name === "IOSleep" && milliseconds >= 1000);
}
