// DR02-4: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { readOnlyMapWritten } from "./read-only-map-written.ts";

test("DR02-4 fires: map is a read-only mapping, and the function writes", async () => {
  await assertFires(
    readOnlyMapWritten,
    {
      driver: `kern_return_t MyDriver::Fill(IOBufferMemoryDescriptor * buffer)
{
    IOMemoryMap * map = nullptr;
    kern_return_t ret = buffer->CreateMapping(kIOMemoryMapReadOnly, 0, 0, 0, 0, &map);
    if (ret != kIOReturnSuccess) return ret;
    uint8_t * bytes = reinterpret_cast<uint8_t *>(map->GetAddress());
    bytes[0] = 0x55;
    return kIOReturnSuccess;
}
`,
    },
    /map is a read-only mapping, and the function writes/,
  );
});

test("DR02-4 fires: filled for the device", async () => {
  await assertFires(
    readOnlyMapWritten,
    {
      driver: `kern_return_t MyUart::Make()
{
    kern_return_t ret = ivars->interface->CreateIOBuffer(kIOMemoryDirectionOut, 7, &buffer);
    if (ret == kIOReturnSuccess) ret = buffer->CreateMapping(kIOMemoryMapReadOnly, 0, 0, 7, 0, &map);
    return ret;
}
`,
    },
    /filled for the device/,
  );
});

test("DR02-4 is silent on the corrected source", async () => {
  await assertSilent(readOnlyMapWritten, {
    driver: `kern_return_t MyDriver::Fill(IOBufferMemoryDescriptor * buffer)
{
    IOMemoryMap * map = nullptr;
    kern_return_t ret = buffer->CreateMapping(0, 0, 0, 0, 0, &map);
    if (ret != kIOReturnSuccess) return ret;
    uint8_t * bytes = reinterpret_cast<uint8_t *>(map->GetAddress());
    bytes[0] = 0x55;
    return kIOReturnSuccess;
}
`,
  });
});

test("DR02-4 is silent on the corrected source (2)", async () => {
  await assertSilent(readOnlyMapWritten, {
    driver: `kern_return_t MyDriver::Look(IOBufferMemoryDescriptor * buffer)
{
    IOMemoryMap * map = nullptr;
    kern_return_t ret = buffer->CreateMapping(kIOMemoryMapReadOnly, 0, 0, 0, 0, &map);
    if (ret != kIOReturnSuccess) return ret;
    ivars->first = *reinterpret_cast<uint8_t *>(map->GetAddress());
    return kIOReturnSuccess;
}
`,
  });
});
