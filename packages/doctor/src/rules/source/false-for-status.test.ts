// FX-FALSE-STATUS: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { falseForStatus } from "./false-for-status.ts";

test("FX-FALSE-STATUS fires: returns false for a status: that is 0, kIOReturnSuccess", async () => {
  await assertFires(
    falseForStatus,
    {
      driver: `kern_return_t IMPL(PadClient, Start)
{
    kern_return_t ret = Start(provider, SUPERDISPATCH);
    if (ret != kIOReturnSuccess) return false;
    return kIOReturnSuccess;
}
`,
    },
    /PadClient::Start returns false for a status/,
  );
});

test("FX-FALSE-STATUS is silent on the corrected source", async () => {
  await assertSilent(falseForStatus, {
    driver: `kern_return_t IMPL(PadClient, Start)
{
    kern_return_t ret = Start(provider, SUPERDISPATCH);
    if (ret != kIOReturnSuccess) return ret;
    return kIOReturnSuccess;
}
`,
  });
});

test("FX-FALSE-STATUS is silent on a manual that shows how Start begins, and then a method that answers a bool", async () => {
  await assertSilent(falseForStatus, {
    "README.md": `# A driver of a dial

Start calls its parent first:

\`\`\` other
kern_return_t
IMPL(DialDriver, Start)
{
    kern_return_t ret;

    ret = Start(provider, SUPERDISPATCH);
    if (ret != kIOReturnSuccess) {
        Stop(provider, SUPERDISPATCH);
        return ret;
    }
\`\`\`

Then it looks for the dial:

\`\`\` other
bool DialDriver::takeDial(IOHIDElement *element)
{
    if (element->getUsage() != kHIDUsage_GD_Dial) {
        return false;
    }
    return true;
}
\`\`\`
`,
  });
});
