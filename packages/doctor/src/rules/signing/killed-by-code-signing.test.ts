// FX-KILLED: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { killedByCodeSigning } from "./killed-by-code-signing.ts";

test("FX-KILLED fires: before the first instruction", async () => {
  await assertFires(
    killedByCodeSigning,
    {
      c: `Process:               Tool [12]
Date/Time:             2026-11-20 21:16:52.153 +0700
Exception Type:        EXC_CRASH (Code Signature Invalid)
Termination Reason:    Namespace CODESIGNING, Code 0x1

Thread 0 Crashed:
0   ???   0x000000010bb1a000 _dyld_start + 0
`,
    },
    /Tool was ended at launch by code signing, before any of its code ran/,
  );
});

test("FX-KILLED fires: a page that was changed", async () => {
  await assertFires(
    killedByCodeSigning,
    {
      l: "2026-11-20 10:00:00.000000+0100 0x1a2b     Default     0x0                  0      0    kernel: CODE SIGNING: process 512[tool]: rejecting invalid page at address 0x1000",
    },
    /page of tool's code does not fit/,
  );
});

test("FX-KILLED fires: a bare tool with a restricted entitlement", async () => {
  await assertFires(
    killedByCodeSigning,
    {
      t: "zsh: killed     ./tool",
      e: `<?xml version="1.0"?>
<plist version="1.0"><dict>
<key>com.apple.developer.driverkit.userclient-access</key><array><string>a.b.c</string></array>
</dict></plist>
`,
    },
    /killed at launch because of the restricted entitlement/,
  );
});

test("FX-KILLED fires: a shell alone is a hint", async () => {
  await assertFires(killedByCodeSigning, { t: "zsh: killed     ./tool" }, /137 is 128 \+ SIGKILL/, "hint");
});

test("FX-KILLED is silent: nothing was killed", async () => {
  await assertSilent(killedByCodeSigning, { l: "the process was stopped by the user" });
});

test("FX-KILLED fires: a program inside a bundle is not called bare", async () => {
  await assertFires(
    killedByCodeSigning,
    {
      t: "zsh: killed     ./Tool.app/Contents/MacOS/Tool",
      e: `<?xml version="1.0"?>
<plist version="1.0"><dict>
<key>com.apple.developer.driverkit.userclient-access</key><array><string>a.b.c</string></array>
</dict></plist>
`,
    },
    /the profile in its bundle has to authorise that, and none is among the evidence/,
  );
});
