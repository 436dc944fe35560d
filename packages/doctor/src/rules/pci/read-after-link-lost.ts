// DR14-1: A read of the device's registers after its link was gone killed the machine.

import { watch } from "../../evidence/watch.ts";
import { barOf } from "../pci-addresses.ts";
import type { Finding, Rule } from "../rule.ts";

const llc = watch(
  ["LLC Bus error"],
  /LLC Bus error \((\w+)\) from cpu(\d+): FAR=(0x[0-9a-f]+).*?addr=(0x[0-9a-f]+) cmd=(0x[0-9a-f]+)\(([A-Z0-9_]+)/i,
);

export const readAfterLinkLost: Rule = {
  id: "DR14-1",
  title: "A read of the device's registers after its link was gone killed the machine",
  severity: "error",
  certainty: "established",
  source: "panic text; IOPCIFamily-726 PCIDriverKit MemoryRead",
  needs: ["panic report", "registry dump"],
  why: "MemoryRead32 and its relations are plain loads from a mapping. On Apple silicon a load from a BAR whose link is down is answered by a bus error of the CPU, which stops the whole machine. Notification of the removal always comes after the fact.",
  fix: [
    "Read no registers in steady state: keep status and queue indices in host memory, and only write doorbells.",
    "Where reads remain, use one accessor with a gate that closes at the first sign of trouble: Stop, a transport error, an all-ones answer, a timeout. Never poll a register to find out whether the device is alive.",
    "In Stop: close the gate, disable and cancel interrupt sources and timers, fail commands without touching the device, then Close.",
  ],
  who: "you",
  watches: [llc],
  judge(evidence) {
    return evidence.hits(llc).map(({ match, place }): Finding => {
      const isWrite = /NCWR|_WR/.test(match[6]) && !/RD_LD/.test(match[6]);
      const bar = barOf(evidence, Number(match[4]));
      const where =
        bar === null
          ? `physical address ${match[4]}`
          : `BAR${bar.index}+0x${bar.offset.toString(16)} of ${bar.name} (${match[4]})`;
      return {
        score: 95,
        claim: `The CPU's ${isWrite ? "write to" : "read of"} ${where} got no answer (${match[1]}): ${bar === null ? "most likely a device's link was gone, and its driver still touched the BAR" : "the device's link was gone, and its driver still touched the BAR"}.`,
        because: [place, ...(bar === null ? [] : [bar.place])],
        about: [match[4]],
        missing:
          bar === null ? ["ioreg -l -w0 from before the unplug: it tells whose BAR holds this address"] : [],
      };
    });
  },
};
