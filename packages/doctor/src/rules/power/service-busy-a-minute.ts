// FX-BUSY-TIMEOUT: a service stayed busy for a minute.

import { watch } from "../../evidence/watch.ts";
import { spoken } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

const busy = watch(["busy timeout"], /busy timeout\[\d{1,3}\], \((\d{1,5})s\): '([^']{1,200})'/);

export const serviceBusyAMinute: Rule = {
  id: "FX-BUSY-TIMEOUT",
  title: "A service stayed busy for a minute",
  severity: "error",
  certainty: "established",
  source: "xnu-11417 IOService::waitQuiet (panic text)",
  needs: ["panic report", "registry dump"],
  why: "Matching below this entry did not come to rest: a start that does not return, or a driver that waits for something that never comes, keeps the busy count up. At boot or wake the system panics when that lasts for 60 seconds.",
  fix: [
    "Look at what attaches to the named entry: Start must return without waiting for the device.",
    "In a registry dump find the entries below it whose busy count is not 0.",
  ],
  who: "the vendor of the driver",
  watches: [busy],
  judge(evidence) {
    return spoken(evidence, busy).map(
      ({ match, place }): Finding => ({
        score: 76,
        claim: `The entry ${match[2]} was busy for ${match[1]} s: a driver below it does not finish its start or its stop.`,
        because: [place],
        about: [match[2]],
        missing: ["which driver attaches there (ioreg -l -w0), and its Start"],
      }),
    );
  },
};
