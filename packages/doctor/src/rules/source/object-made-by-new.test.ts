// FX-NEW-OBJECT: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { objectMadeByNew } from "./object-made-by-new.ts";

test("FX-NEW-OBJECT fires: ReceiveContext is an OSObject and is made by new", async () => {
  await assertFires(
    objectMadeByNew,
    {
      driver: `#include <DriverKit/OSObject.h>

class ReceiveContext : public OSObject
{
public:
    bool init() override;
};

ReceiveContext * MakeContext()
{
    return new ReceiveContext();
}
`,
    },
    /ReceiveContext is an OSObject and is made by new/,
  );
});

test("FX-NEW-OBJECT is silent on the corrected source", async () => {
  await assertSilent(objectMadeByNew, {
    driver: `#include <DriverKit/OSObject.h>

class ReceiveContext : public OSObject
{
public:
    bool init() override;
};

ReceiveContext * MakeContext()
{
    return OSTypeAlloc(ReceiveContext);
}
`,
  });
});
