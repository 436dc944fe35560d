// The allowlist rule: each way in which a claim is covered or not, and what a dext's launch makes of it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeClaims, unsatisfiedKeys } from "./claims.ts";
import type { PropertyValue } from "./properties.ts";

const usb = "com.apple.developer.driverkit.transport.usb";
const access = "com.apple.developer.driverkit.userclient-access";

const verdictOf = (key: string, claim: PropertyValue, allowed: PropertyValue | undefined) =>
  judgeClaims({ [key]: claim }, allowed === undefined ? {} : { [key]: allowed })[0];

test("each way in which a claim stands to the profile has its own verdict", () => {
  const rows: [string, PropertyValue, PropertyValue | undefined, string][] = [
    [usb, [{ idVendor: 1356 }], [{ idVendor: 1356 }], "covered"],
    [usb, [{ idVendor: 1356, idProduct: 5 }], [{ idVendor: 1356 }], "covered"],
    [usb, [{ idVendor: 1356 }], [{ idVendor: 1356, idProduct: 5 }], "value-differs"],
    [usb, [{ idVendor: 1356 }], [{ idVendor: 1027 }, { idVendor: 1356 }], "covered"],
    [usb, [{ idVendor: 1356 }], [{ idVendor: "*" }], "wildcard-differs"],
    [usb, [{ idVendor: "*" }], [{ idVendor: 1356 }], "wildcard-differs"],
    [usb, [{ idVendor: "*" }], [{ idVendor: "*" }], "covered"],
    [usb, [{ idVendor: 1356 }], [{ idVendor: 1027 }], "value-differs"],
    [usb, [{ idVendor: "1356" }], [{ idVendor: 1356 }], "type-differs"],
    [usb, [{ idVendor: 1356 }], undefined, "absent"],
    [access, ["org.a.driver"], ["org.a.driver", "org.b.driver"], "covered"],
    [access, "org.a.driver", ["org.a.driver"], "covered"],
    [access, ["org.a.driver"], ["org.a.app"], "value-differs"],
    [access, ["org.a.driver"], "org.a.driver\norg.b.driver", "newline-joined"],
    [access, ["org.a.driver"], ["org.a.driver\norg.b.driver"], "newline-joined"],
    [access, ["org.a.driver"], "org.a.driver", "type-differs"],
    ["com.apple.developer.driverkit", true, true, "covered"],
    ["com.apple.developer.driverkit", true, [true], "type-differs"],
    ["com.apple.security.app-sandbox", true, undefined, "unrestricted"],
    ["com.apple.application-identifier", "TEAM.org.a", "TEAM.*", "covered"],
    ["com.apple.application-identifier", "TEAM.org.a", "TEAM.org.b", "value-differs"],
  ];
  for (const [key, claim, allowed, verdict] of rows) {
    const judged = verdictOf(key, claim, allowed);
    assert.equal(
      judged.verdict,
      verdict,
      `${JSON.stringify(claim)} against ${JSON.stringify(allowed)}: ${judged.reason}`,
    );
    assert.notEqual(judged.reason, "");
  }
});

test("no profile at all: every restricted key is unsatisfied, and only those", () => {
  const judged = judgeClaims({ [usb]: [{ idVendor: 1 }], "com.apple.security.get-task-allow": true }, null);
  assert.deepEqual(unsatisfiedKeys(judged), [usb]);
  assert.match(judged[0].reason, /no embedded profile/);
});

test("the reason names the element and both sides", () => {
  const judged = verdictOf(
    usb,
    [{ idVendor: 1027 }, { idVendor: 1356 }],
    [{ idVendor: 1027 }, { idVendor: "*" }],
  );
  assert.equal(judged.reason, 'element 2: idVendor: claimed the number 1356, allowed the wildcard "*"');
});
