// FX-CRASH: samples that fire it, and near misses that do not.

import assert from "node:assert/strict";
import { test } from "node:test";
import { diagnose } from "../../diagnose.ts";
import { assertFires, assertSilent, sourcesOf } from "../../test/rule-check.ts";
import { driverCrashed } from "./driver-crashed.ts";

test("FX-CRASH fires: the first frame of the driver", async () => {
  await assertFires(
    driverCrashed,
    {
      c: `Process:               org.example.pad [12]
Path:                  /Library/SystemExtensions/A/org.example.pad.dext/org.example.pad
Exception Type:        EXC_BAD_ACCESS (SIGSEGV)

Thread 0 Crashed:: Dispatch queue: pad
0   org.example.pad        0x0000000107e721aa Pad::Report(int) + 12
1   com.apple.DriverKit    0x0000000107f731aa OSAction::Run() + 10
`,
    },
    /crashed in its own code: Pad::Report\(int\) \+ 12, on the queue pad/,
  );
});

test("FX-CRASH is silent: killed for its signature, which is another rule", async () => {
  await assertSilent(driverCrashed, {
    c: `Process:               Widget [12]
Path:                  /Applications/Widget.app/Contents/MacOS/Widget
Exception Type:        EXC_CRASH (Code Signature Invalid)
Termination Reason:    Namespace CODESIGNING, Code 0x1

Thread 0 Crashed:
0   ???   0x000000010bb1a000 _dyld_start + 0
`,
  });
});

test("FX-CRASH fires: an assertion's own words are said", async () => {
  const files = {
    c: `Process:               org.example.pad [12]
Path:                  /Library/SystemExtensions/A/org.example.pad.dext/org.example.pad
Exception Type:        EXC_CRASH (SIGABRT)
Application Specific Information:
abort() called
Assertion failed: (pipe != nullptr), function Complete, file Pad.cpp, line 12.

Thread 0 Crashed:: Dispatch queue: pad
0   libsystem_c.dylib      0x0000000107f731aa abort + 10
1   org.example.pad        0x0000000107e721aa Pad::Complete(int) + 12
`,
  };
  await assertFires(driverCrashed, files, /in its own code: Pad::Complete\(int\)/);
  const { answers } = await diagnose(sourcesOf(files), { rules: [driverCrashed] });
  assert.match(
    answers[0].why,
    /It said: Assertion failed: \(pipe != nullptr\), function Complete, file Pad\.cpp, line 12/,
  );
});
