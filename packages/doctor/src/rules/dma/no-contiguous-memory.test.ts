// DR16-1: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { noContiguousMemory } from "./no-contiguous-memory.ts";

test("DR16-1 fires: one contiguous range for the device", async () => {
  await assertFires(
    noContiguousMemory,
    { q: "How to allocate 1 MB of contiguous memory in DriverKit for an audio ring?" },
    /one contiguous range for the device/,
  );
});

test("DR16-1 is silent on a near miss: a kernel extension may ask for it", async () => {
  await assertSilent(noContiguousMemory, {
    s: "#include <IOKit/IOBufferMemoryDescriptor.h>\nkern_return_t Foo::Bar(int a) {\n  options |= kIOMemoryPhysicallyContiguous;\n}\n",
  });
});

test("DR16-1 is silent on: the log rows are contiguous, and nothing else is said", async () => {
  await assertSilent(noContiguousMemory, { q: "the log rows are contiguous, and nothing else is said" });
});

test("DR16-1 is silent on a near miss: a comment in source", async () => {
  await assertSilent(noContiguousMemory, {
    s: "#include <DriverKit/IOService.h>\n// DMA buffers are contiguous\nkern_return_t Foo::Bar(int a) {\n  return 0;\n}\n",
  });
});

test("DR16-1 is silent on the manual that lies beside the source", async () => {
  await assertSilent(noContiguousMemory, {
    manual: `# Rings\n\n## Layout\n\n### Header\n\n### Payload\n\nContiguous payloads are split at the DMA boundary.\n\n### End\n`,
    source: `#include <DriverKit/IOService.h>\n\nkern_return_t\nIMPL(Panel, Start)\n{\n    return Start(provider, SUPERDISPATCH);\n}\n`,
  });
});
