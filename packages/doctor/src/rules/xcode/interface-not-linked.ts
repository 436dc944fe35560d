// FX-LINK: the linker misses what the interface compiler makes of an .iig, or what it asks the author for.

import { watch } from "../../evidence/watch.ts";
import { refused } from "../../facts/statement.ts";
import { spoken } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

/** The linker's words around a symbol: a crash report's frames name the same functions. */
const missing = watch(
  ["_Dispatch(", "_Impl("],
  /(?:\bundefined symbol: |")(?:(\w{1,200})::_Dispatch\(\w{1,200} ?\*, (?:const )?IORPC\)|(\w{1,200})::(\w{1,200})_Impl\([^"\n]{0,400}\))(?:", referenced from|\s*$)/i,
);

/** Frameworks by the beginnings of their classes; the longest that fits. */
const frameworks: readonly (readonly [RegExp, string])[] = [
  [/^IOUSBHost/, "USBDriverKit"],
  [/^(?:IOHID|IOUserHID|IOUserUSBHostHID)/, "HIDDriverKit"],
  [/^IOPCI/, "PCIDriverKit"],
  [/^IOUserSCSI/, "SCSIControllerDriverKit or SCSIPeripheralsDriverKit"],
  [/^IOUser(?:USB)?Serial/, "SerialDriverKit or USBSerialDriverKit"],
  [/^IOUserNetwork/, "NetworkingDriverKit"],
  [/^IOUserAudio/, "AudioDriverKit"],
  [/^IOUserBlockStorage/, "BlockStorageDeviceDriverKit"],
  [/^(?:IO|OS)/, "DriverKit"],
];

export const interfaceNotLinked: Rule = {
  id: "FX-LINK",
  title: "What belongs to an .iig is missing when the driver is linked",
  severity: "error",
  certainty: "established",
  source: "generated source of a published driver (DriverKit SDK); the linker's messages",
  needs: ["log"],
  why: "The interface compiler makes a header and a source of each .iig. The source holds the class's dispatch function and its description; each method of the .iig that a class implements is called as METHOD_Impl, which the author writes as IMPL(CLASS, METHOD).",
  fix: ["Look at the first undefined symbol: its class says which .iig is meant."],
  who: "you",
  states: refused("the driver is not linked"),
  watches: [missing],
  judge(evidence) {
    const told = new Set<string>();
    return spoken(evidence, missing).flatMap(({ match, place }): Finding[] => {
      const [, dispatched, implemented, method] = match;
      const name = dispatched ?? implemented;
      const key = `${name} ${method ?? ""}`;
      if (told.has(key)) return [];
      told.add(key);
      return [{ ...cause(name, dispatched === undefined ? method : null), because: [place], about: [name] }];
    });
  },
};

function cause(name: string, method: string | null): Pick<Finding, "score" | "claim" | "fix"> {
  if (method !== null)
    return {
      score: 86,
      claim: `${name}.iig declares ${method}, and nobody implements it: ${name}::${method}_Impl is missing.`,
      fix: [
        `Write kern_return_t IMPL(${name}, ${method}) in a source of the driver's target (the class by which it is declared, not its base), or take the declaration out of the .iig.`,
        "Where it is written, look whether that file is among the target's Compile Sources.",
      ],
    };
  const framework = frameworks.find(([names]) => names.test(name))?.[1];
  return framework === undefined
    ? {
        score: 88,
        claim: `The source that the interface compiler makes of ${name}.iig is not linked: the class's dispatch function is missing.`,
        fix: [
          `Add ${name}.iig to Compile Sources of the driver's target; with a build of one's own compile ${name}.iig.cpp beside the driver's sources.`,
          "A class declared in a plain header has no dispatch function: it must stand in an .iig.",
        ],
      }
    : {
        score: 84,
        claim: `${name} is Apple's, and its framework is not linked: its dispatch function is missing.`,
        fix: [`Link ${framework} to the driver's target, from the DriverKit SDK (SDKROOT = driverkit).`],
      };
}
