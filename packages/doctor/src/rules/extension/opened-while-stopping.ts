// FX-OPEN-LATE: the kernel blocked an attempt to open a provider by a driver that is being terminated.

import { watch } from "../../evidence/watch.ts";
import { refused } from "../../facts/statement.ts";
import { spoken } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

const blocked = watch(
  ["blocked attempt to open"],
  /IOUserServer\(([\w.-]{1,200}?)-0x[0-9a-f]{1,16}\)-? ?([\w.-]{1,200}?)(?:-0x[0-9a-f]{1,16})? blocked attempt to open ([\w.-]{1,200}?)(?:-0x[0-9a-f]{1,16})?(?:\s|$|\.)|blocked attempt to open ([\w.-]{1,200})/,
);

export const openedWhileStopping: Rule = {
  id: "FX-OPEN-LATE",
  title: "A driver tried to open its provider after its termination had begun",
  severity: "error",
  certainty: "established",
  source:
    "xnu-11417 IOUserServer::serviceOpen: refused with kIOReturnBadArgument when the client will terminate or has stopped",
  needs: ["log"],
  why: "A service that is about to end may not open anything. The kernel refuses with kIOReturnBadArgument; nobody else holds the device. Something of the driver still worked in or after Stop: a callback, a timer, a block on a queue.",
  fix: [
    "Open in Start only. Set a flag when Stop begins, and let callbacks and timers look at it before they open or retry.",
    "Cancel sources and timers in Stop and wait for their handlers before you call super.",
  ],
  who: "you",
  states: refused("opening the provider after its termination had begun"),
  watches: [blocked],
  judge(evidence) {
    return spoken(evidence, blocked).map(({ match, place }): Finding => {
      const [, bundle = "", driver = "The driver", provider = match[4] ?? "its provider"] = match;
      return {
        score: 88,
        claim: `${driver} tried to open ${provider} after its termination had begun, and the kernel refused: a callback or a queue still worked in Stop.`,
        because: [place],
        about: [driver, bundle].filter((word) => word !== ""),
      };
    });
  },
};
