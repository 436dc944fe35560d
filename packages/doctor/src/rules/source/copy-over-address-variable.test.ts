// DR02-2: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { copyOverAddressVariable } from "./copy-over-address-variable.ts";

test("DR02-2 fires: copies over the variable address", async () => {
  await assertFires(
    copyOverAddressVariable,
    {
      driver: `kern_return_t MyUart::SendLineCoding(LineCoding * coding)
{
    uint64_t address = 0;
    address = ivars->map->GetAddress();
    memcpy(&address, coding, 7);
    return ivars->interface->DeviceRequest(0x21, 0x20, 0, 0, 7, ivars->buffer, nullptr, 1000);
}
`,
    },
    /copies over the variable address/,
  );
});

test("DR02-2 fires: bzero copies over the variable bytes", async () => {
  await assertFires(
    copyOverAddressVariable,
    {
      driver: `void MyUart::Fill(IOAddressSegment range)
{
    uint8_t * bytes = reinterpret_cast<uint8_t *>(range.address);
    bzero((void *)&bytes, sizeof(bytes));
    ivars->ready = true;
}
`,
    },
    /bzero copies over the variable bytes/,
  );
});

test("DR02-2 is silent on the corrected source", async () => {
  await assertSilent(copyOverAddressVariable, {
    driver: `kern_return_t MyUart::SendLineCoding(LineCoding * coding)
{
    uint64_t address = ivars->map->GetAddress();
    memcpy(reinterpret_cast<void *>(address), coding, 7);
    return ivars->interface->DeviceRequest(0x21, 0x20, 0, 0, 7, ivars->buffer, nullptr, 1000);
}
`,
  });
});

test("DR02-2 is silent on the corrected source (2)", async () => {
  await assertSilent(copyOverAddressVariable, {
    driver: `kern_return_t MyUart::Copy(LineCoding * coding)
{
    LineCoding own;
    memcpy(&own, coding, sizeof(own));
    return ivars->take(&own);
}
`,
  });
});
