// FX-FREE: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { freeCalledDirectly } from "./free-called-directly.ts";

test("FX-FREE fires: an object of the framework", async () => {
  await assertFires(
    freeCalledDirectly,
    {
      a: `#include <os/log.h>
#include <DriverKit/IOLib.h>
struct Pad_IVars { IOUSBHostPipe *in; char *text; };
void Pad::free()
{
    ivars->in->free();
    super::free();
}
`,
    },
    /calls free\(\) on ivars->in: release\(\) is the call/,
  );
});

test("FX-FREE is silent: it is released", async () => {
  await assertSilent(freeCalledDirectly, {
    a: `#include <os/log.h>
#include <DriverKit/IOLib.h>
struct Pad_IVars { IOUSBHostPipe *in; char *text; };
void Pad::free()
{
    OSSafeReleaseNULL(ivars->in);
    super::free();
}
`,
  });
});
