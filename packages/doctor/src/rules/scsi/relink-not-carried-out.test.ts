// DR08-2: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { relinkNotCarriedOut } from "./relink-not-carried-out.ts";

test("DR08-2 fires: in words", async () => {
  await assertFires(
    relinkNotCarriedOut,
    { a: "RelinkBridge: success, status GOOD" },
    /accepted; whether the drive left/,
  );
});

test("DR08-2 is silent: a relink that failed", async () => {
  await assertSilent(relinkNotCarriedOut, { a: "RelinkBridge: failed with 0xe00002ed" });
});

test("DR08-2 names who has the unit open, by the registry", async () => {
  const dump = `+-o IOSCSILogicalUnitNub@0  <class IOSCSILogicalUnitNub, id 0x100000a01, registered, matched, active, busy 0 (0 ms), retain 9>
  +-o Unlocker  <class IOUserService, id 0x100000a05, registered, matched, active, busy 0 (0 ms), retain 7>
    +-o IOUserUserClient  <class IOUserUserClient, id 0x100000a07, !registered, !matched, active, busy 0, retain 6>
        "IOUserClientCreator" = "pid 512, DriveMonitor"
`;
  await assertFires(
    relinkNotCarriedOut,
    { a: "RelinkBridge: success, status GOOD", b: dump },
    /pid 512, DriveMonitor has the unit open/,
  );
});
