// FX-TYPE-OVERRIDE: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { typeRepeated } from "./type-repeated.ts";

test("FX-TYPE-OVERRIDE fires: HbaDriver::UserProcessParallelTask overrides a method and repeats TYPE", async () => {
  await assertFires(
    typeRepeated,
    {
      driver: `#include <SCSIControllerDriverKit/IOUserSCSIParallelInterfaceController.iig>
class HbaDriver : public IOUserSCSIParallelInterfaceController
{
public:
    virtual kern_return_t UserProcessParallelTask(SCSIUserParallelTask parallelRequest, uint32_t * response, OSAction * completion TYPE(ParallelTaskCompletion)) override;
};
`,
    },
    /HbaDriver::UserProcessParallelTask overrides a method and repeats TYPE/,
  );
});

test("FX-TYPE-OVERRIDE is silent on the corrected source", async () => {
  await assertSilent(typeRepeated, {
    driver: `#include <SCSIControllerDriverKit/IOUserSCSIParallelInterfaceController.iig>
class HbaDriver : public IOUserSCSIParallelInterfaceController
{
public:
    virtual kern_return_t UserProcessParallelTask(SCSIUserParallelTask parallelRequest, uint32_t * response, OSAction * completion) override;
};
`,
  });
});
