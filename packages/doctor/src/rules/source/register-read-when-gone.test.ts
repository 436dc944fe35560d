// DR14-3: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { registerReadWhenGone } from "./register-read-when-gone.ts";

test("DR14-3 fires: reads a register in an interrupt handler", async () => {
  await assertFires(
    registerReadWhenGone,
    {
      driver: `void IMPL(HbaDriver, InterruptOccurred)
{
    uint32_t status = 0;
    ivars->pci->MemoryRead32(ivars->bar, 8, &status);
    if (status & 1) DrainReplies();
}
`,
    },
    /reads a register in an interrupt handler/,
  );
});

test("DR14-3 fires: HbaDriver::Stop reads a register in Stop", async () => {
  await assertFires(
    registerReadWhenGone,
    {
      driver: `kern_return_t HbaDriver::Stop_Impl(IOService * provider)
{
    uint32_t value = 0;
    ivars->pci->MemoryRead32(ivars->bar, 0x10, &value);
    ivars->pci->MemoryWrite32(ivars->bar, 0x10, value & ~1u);
    return Stop(provider, SUPERDISPATCH);
}
`,
    },
    /HbaDriver::Stop reads a register in Stop/,
  );
});

test("DR14-3 fires: neither a deadline nor a look for all ones", async () => {
  await assertFires(
    registerReadWhenGone,
    {
      driver: `void HbaDriver::WaitUntilReady()
{
    uint32_t status = 0;
    do {
        ivars->pci->MemoryRead32(ivars->bar, 8, &status);
    } while ((status & 1) == 0);
}
`,
    },
    /neither a deadline nor a look for all ones/,
  );
});

test("DR14-3 fires: in a timer's handler by way of HbaDriver::Heartbeat", async () => {
  await assertFires(
    registerReadWhenGone,
    {
      a: `#include <DriverKit/IOService.iig>
class HbaDriver : public IOService
{
public:
    virtual void Heartbeat(OSAction * action, uint64_t time) TYPE(IOTimerDispatchSource::TimerOccurred);
};
`,
      b: `void IMPL(HbaDriver, Heartbeat)
{
    CheckHealth();
}

void HbaDriver::CheckHealth()
{
    uint32_t status = 0;
    ivars->pci->MemoryRead32(ivars->bar, 8, &status);
    ivars->healthy = status != 0;
}
`,
    },
    /in a timer's handler by way of HbaDriver::Heartbeat/,
  );
});

test("DR14-3 is silent on the corrected source", async () => {
  await assertSilent(registerReadWhenGone, {
    driver: `void IMPL(HbaDriver, InterruptOccurred)
{
    while (ivars->replies[ivars->tail].owner == ivars->phase) CompleteNext();
    ivars->pci->MemoryWrite32(ivars->bar, 8, ivars->tail);
}

bool HbaDriver::WaitUntilReady()
{
    for (uint32_t tries = 0; tries < 1000; ++tries) {
        uint32_t status = 0;
        ivars->pci->MemoryRead32(ivars->bar, 8, &status);
        if (status == 0xFFFFFFFF) return false;
        if (status & 1) return true;
        IOSleep(1);
    }
    return false;
}
`,
  });
});
