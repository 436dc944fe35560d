// DR01-3: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { mfiLinkNotPublic } from "./mfi-link-not-public.ts";

test("DR01-3 fires: not public", async () => {
  await assertFires(
    mfiLinkNotPublic,
    { q: "We are MFi licensed. Where is the current iAP2 sample code for iOS?" },
    /not public/,
  );
});

test("DR01-3 is silent on: The iAP2 connector is broken. Our accessory speaks com.example.data.", async () => {
  await assertSilent(mfiLinkNotPublic, {
    q: "The iAP2 connector is broken. Our accessory speaks com.example.data.",
  });
});
