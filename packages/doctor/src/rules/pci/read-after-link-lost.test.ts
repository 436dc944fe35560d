// DR14-1: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { panicOf } from "../../test/samples.ts";
import { readAfterLinkLost } from "./read-after-link-lost.ts";

test("DR14-1 fires: read of physical address 0xa40100008 got no answer", async () => {
  await assertFires(
    readAfterLinkLost,
    {
      p: panicOf(
        "LLC Bus error (Unavailable) from cpu0: FAR=0xa40100008 LLC_ERR_STS/ADR/INF=0x80/0x300480a40100008/0x1400000005 addr=0xa40100008 cmd=0x18(ACC_CIFL2C_CMD_RD_LD: request for load miss in E or S state)",
      ),
    },
    /read of physical address 0xa40100008 got no answer/,
  );
});

test("DR14-1 fires: BAR0+0x8 of hba", async () => {
  await assertFires(
    readAfterLinkLost,
    {
      p: panicOf(
        "LLC Bus error (Unavailable) from cpu0: FAR=0xa40100008 addr=0xa40100008 cmd=0x18(ACC_CIFL2C_CMD_RD_LD: x)",
      ),
      i: '+-o hba@0  <class IOPCIDevice, id 0x100000412, registered, matched, active, busy 0 (0 ms), retain 7>\n  {\n    "IODeviceMemory" = (({"address"=0xa40100000,"length"=65536}))\n  }\n',
    },
    /BAR0\+0x8 of hba/,
  );
});

test("DR14-1 is silent on a near miss", async () => {
  await assertSilent(readAfterLinkLost, { p: panicOf("LLC cache parity error from cpu0") });
});
