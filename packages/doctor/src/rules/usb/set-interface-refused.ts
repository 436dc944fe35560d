// FX-SET-INTERFACE: the device answered SET_INTERFACE with STALL.

import { watch } from "../../evidence/watch.ts";
import { refused as refusedClaim } from "../../facts/statement.ts";
import { spoken } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

/** The words of libusb, IOUSBLib, IOUSBHost and DriverKit for the request. */
export const setInterfaceWords =
  /SetAlternateInterface|set_interface_altsetting|SelectAlternateSetting|SET_INTERFACE|set_alt(?:ernate)?_(?:interface|setting)|[Cc]annot set alternate interface|setAlternate\w*/;
const refused = watch(
  [
    "SetAlternateInterface",
    "set_interface_altsetting",
    "SelectAlternateSetting",
    "SET_INTERFACE",
    "alternate interface",
    "set_alt",
    "setAlternate",
  ],
  new RegExp(
    `(?:${setInterfaceWords.source})[^\\n]{0,200}?(?:0xe0005000|e0005000|-536850432|3758116864|PipeStalled|STALL|stall|LIBUSB_ERROR_PIPE|pipe error)`,
    "i",
  ),
);

export const setInterfaceRefused: Rule = {
  id: "FX-SET-INTERFACE",
  title: "The device refused SET_INTERFACE",
  severity: "error",
  certainty: "established",
  source: "USB 2.0 section 9.4.10: with only a default setting for the interface, STALL may be the answer",
  needs: ["log", "capture"],
  why: "SET_INTERFACE chooses an alternate setting. A device whose interface has only the default setting may answer it with STALL; nothing is broken then, and the default setting is active anyway. The request has no data stage.",
  fix: [
    "Leave SET_INTERFACE out when the interface has one alternate setting (bNumInterfaces and bAlternateSetting in the configuration descriptor).",
    "With several settings: compare interface number and setting with the descriptors; a setting that does not exist is refused too.",
  ],
  who: "the developer of the program",
  states: refusedClaim("SET_INTERFACE"),
  watches: [refused],
  judge(evidence) {
    const wire = evidence.facts("transfer").flatMap(({ place, value }): Finding[] =>
      value.setup !== null && value.setup[0] === 0x01 && value.setup[1] === 11 && value.result === "stall"
        ? [
            {
              score: 78,
              claim: `SET_INTERFACE (interface ${value.setup[4]}, setting ${value.setup[2]}) was refused with STALL; leave it out when the interface has one alternate setting.`,
              because: [place],
              about: ["SET_INTERFACE"],
            },
          ]
        : [],
    );
    if (wire.length > 0) return wire;
    const [first] = spoken(evidence, refused);
    return first === undefined
      ? []
      : [
          {
            score: 80,
            claim:
              "SET_INTERFACE was refused: the device answered it with STALL (0xe0005000); leave it out when there is one alternate setting.",
            because: spoken(evidence, refused)
              .slice(0, 3)
              .map(({ place }) => place),
            about: ["SET_INTERFACE"],
            missing: ["the configuration descriptor: how many alternate settings the interface has"],
          },
        ];
  },
};
