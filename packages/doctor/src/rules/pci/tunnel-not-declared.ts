// DR14-5: the personality does not say that the device lives behind a tunnel.

import { absent } from "../../facts/statement.ts";
import { personalities } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

export const tunnelNotDeclared: Rule = {
  id: "DR14-5",
  title: "The personality does not say that the device lives behind a tunnel",
  severity: "warning",
  certainty: "established",
  source: "Apple, IOPCITunnelCompatible and IOPCIPauseCompatible in the personality of a PCI driver",
  needs: ["Info.plist", "registry dump"],
  why: "A driver of a Thunderbolt device declares that it copes with tunnelled PCI and with the pause of the bus when the topology changes. Without the keys the system may keep the driver away from tunnelled devices, or stop the device instead of pausing it.",
  fix: [
    "Set IOPCITunnelCompatible and IOPCIPauseCompatible to true in the personality, and implement the pause power state.",
    "For storage also publish Physical Interconnect Location = External early in Start.",
  ],
  who: "you",
  states: absent("list", "IOPCITunnelCompatible"),
  judge(evidence) {
    const tunnelled = evidence
      .facts("registry-entry")
      .find(({ value }) => value.properties.IOPCITunnelled === true || value.properties.IOPCITunnelled === 1);
    return personalities(evidence).flatMap((personality): Finding[] => {
      const { value } = personality;
      if (value.IOProviderClass !== "IOPCIDevice" || value.IOUserClass === undefined) return [];
      const lacking = ["IOPCITunnelCompatible", "IOPCIPauseCompatible"].filter((key) => value[key] !== true);
      if (lacking.length === 0) return [];
      return [
        {
          score: tunnelled === undefined ? 38 : 76,
          claim: `${personality.name} does not set ${lacking.join(" and ")}${tunnelled === undefined ? ", which a Thunderbolt device needs" : `, and ${tunnelled.value.name} is tunnelled`}.`,
          because: [
            personality.placeOf("IOProviderClass"),
            ...(tunnelled === undefined ? [] : [tunnelled.place]),
          ],
          about: [personality.name],
        },
      ];
    });
  },
};
