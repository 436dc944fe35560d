// DR13-2: the entitlement claims FTDI's own vendor id.

import { isDictionary } from "@drydock/core/platform/properties";
import { driverKit, listsOf } from "../../signing/entitlement-lists.ts";
import type { Finding, Rule } from "../rule.ts";

export const ftdiOwnVendorClaimed: Rule = {
  id: "DR13-2",
  title: "The entitlement claims FTDI's own vendor id",
  severity: "warning",
  certainty: "established",
  source: "USB vendor id 0403h is FTDI's; Apple grants transport.usb to the owner of an id",
  needs: ["entitlements"],
  why: "transport.usb for distribution is granted to the owner of a vendor id. 0403h (1027) belongs to FTDI, so a product with FTDI's default ids will hardly get it.",
  fix: [
    "Program a vendor and product id of your own into the chip's EEPROM (or a product id that FTDI assigned to you), and claim that.",
  ],
  who: "you",
  judge(evidence) {
    return listsOf(evidence, "entitlements").flatMap(({ value }): Finding[] => {
      const usb = value.value[`${driverKit}.transport.usb`];
      if (!Array.isArray(usb)) return [];
      return usb.flatMap((item, index): Finding[] =>
        isDictionary(item) && item.idVendor === 0x403
          ? [
              {
                score: 72,
                claim:
                  "com.apple.developer.driverkit.transport.usb claims idVendor 1027 (0x0403), which is FTDI's.",
                because: [value.placeOf(`${driverKit}.transport.usb/${index}/idVendor`)],
              },
            ]
          : [],
      );
    });
  },
};
