// FX-FREE-SUPER: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { freeWithoutSuper } from "./free-without-super.ts";

test("FX-FREE-SUPER fires: the call is missing", async () => {
  await assertFires(
    freeWithoutSuper,
    {
      a: `#include <os/log.h>
#include <DriverKit/IOLib.h>
struct Pad_IVars { IOUSBHostPipe *in; char *text; };
#include <DriverKit/IOService.iig>
class Pad : public IOService { public: virtual void free() override; };
void Pad::free()
{
    OSSafeReleaseNULL(ivars->in);
}
`,
    },
    /Pad::free does not call super::free\(\)/,
  );
});

test("FX-FREE-SUPER is silent: it ends with the call", async () => {
  await assertSilent(freeWithoutSuper, {
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
