// DR14-2: the machine stopped when a device with a PCI dext was pulled.

import { pciDexts, unplugLine } from "../pci-evidence.ts";
import { spoken } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

export const stoppedAtUnplug: Rule = {
  id: "DR14-2",
  title: "The machine stopped when a device with a PCI dext was pulled",
  severity: "error",
  certainty: "likely",
  source: "IOPCIFamily-726 PCIDriverKit MemoryRead; DTS answer in thread 803617",
  needs: ["panic report", "log", "registry dump"],
  why: "A dext's register reads are plain loads. Between the moment at which the link dies and the moment at which the driver stops touching its BARs every one of them can stop the machine; the notification comes after the fact.",
  fix: [
    "Read no registers in steady state; keep status and indices in host memory.",
    "Guard what remains by one gate that closes at the first sign of trouble, and touch nothing in Stop.",
    "`drydock explore RIG` pulls the cable at every step of the driver's work and names the read that stops the machine.",
    "Send the whole panic report: the text tells whether it was a load (LLC Bus error) or the IOMMU.",
  ],
  who: "you",
  watches: [unplugLine],
  judge(evidence) {
    const dexts = pciDexts(evidence);
    const pulled = spoken(evidence, unplugLine);
    return evidence.facts("panic").flatMap(({ place, value }): Finding[] => {
      // These two have rules of their own, which say more.
      if (/LLC Bus error|DART_INVALID_ERR_MASK/.test(value.message)) return [];
      const isBus = /\bSError\b|\bbus error\b|\bapcie\w*|\bPCIe?\b|machine check/i.test(value.message);
      if (pulled.length === 0 || dexts.length === 0) return [];
      return [
        {
          score: isBus ? 74 : 56,
          claim: `The machine panicked round an unplug while ${dexts[0].name} drives a PCI device: most likely it read a register after the removal.`,
          because: [place, pulled[0].place, dexts[0].place],
          about: [dexts[0].name],
          missing: [
            "ioreg -l -w0 from before the unplug",
            "the driver's register reads in handlers, timers and Stop",
          ],
        },
      ];
    });
  },
};
