// FX-FOREIGN-LIBRARY: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { foreignLibrary } from "./foreign-library.ts";

test("FX-FOREIGN-LIBRARY fires: the library of another product", async () => {
  await assertFires(
    foreignLibrary,
    {
      c: `Process:               org.example.pad [12]
Path:                  /Library/SystemExtensions/*/org.example.pad
Exception Type:        EXC_CRASH (SIGABRT)
Termination Reason:    DYLD, [0x1] Library missing

Dyld Error Message:
  Library not loaded: /System/Library/Frameworks/AppKit.framework/AppKit
  Referenced from: /opt/agent/hook.dylib
  Reason: image not found
`,
    },
    /\/opt\/agent\/hook\.dylib is put into the process of the driver org\.example\.pad by another product/,
  );
});

test("FX-FOREIGN-LIBRARY is silent: no library is missing", async () => {
  await assertSilent(foreignLibrary, {
    c: `Process:               org.example.pad [12]
Exception Type:        EXC_BREAKPOINT (SIGTRAP)

Thread 0 Crashed:
0   x   0x000000010bb1a000 f + 0
`,
  });
});
