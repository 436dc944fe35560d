// DR15-4: the driver was late with a power acknowledgement before.

import type { Finding, Rule } from "../rule.ts";

export const latePowerBefore: Rule = {
  id: "DR15-4",
  title: "The driver was late with a power acknowledgement before",
  severity: "warning",
  certainty: "established",
  source: "xnu-11417 IOServicePM property IOPMTardyAckSetPowerState",
  needs: ["registry dump"],
  why: "The kernel marks a service with IOPMTardyAckSetPowerState when its acknowledgement did not come in time and the machine survived it.",
  fix: ["Call super's SetPowerState on every path and do not wait in it; see DR15-1."],
  who: "you",
  judge(evidence) {
    return evidence.facts("registry-entry").flatMap(({ value }): Finding[] =>
      value.properties.IOPMTardyAckSetPowerState === true
        ? [
            {
              score: 76,
              claim: `${value.className} did not acknowledge a power change in time before this dump was made.`,
              because: [value.placeOf("IOPMTardyAckSetPowerState")],
            },
          ]
        : [],
    );
  },
};
