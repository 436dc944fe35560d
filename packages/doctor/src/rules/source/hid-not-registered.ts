// FX-HID-REGISTER: newDeviceDescription does not ask for registration.

import { absent } from "../../facts/statement.ts";
import type { Rule } from "../rule.ts";
import { nameOf, perFunction } from "../source-questions.ts";

export const hidNotRegistered: Rule = {
  id: "FX-HID-REGISTER",
  title: "A virtual HID device does not ask to be registered",
  severity: "warning",
  certainty: "likely",
  source:
    "public notes of maintainers of virtual HID devices; the kernel object starts with RegisterService = false",
  needs: ["source"],
  why: "The kernel object of a HID dext keeps the device back until its description says RegisterService = true. Without the key the driver runs and no device appears.",
  fix: [
    "Put the key RegisterService with kOSBooleanTrue into the dictionary that newDeviceDescription answers.",
  ],
  who: "you",
  states: absent("source", "RegisterService in the description"),
  judge(evidence) {
    return perFunction(evidence, (one, file) =>
      one.name === "newDeviceDescription" &&
      !file.text.includes('"RegisterService"') &&
      !/kIOHIDRegisterService/.test(file.text)
        ? [
            {
              score: 64,
              claim: `${nameOf(one)} answers a description without RegisterService.`,
              because: [file.placeOf(one.nameNode)],
              about: [one.className],
            },
          ]
        : [],
    );
  },
};
