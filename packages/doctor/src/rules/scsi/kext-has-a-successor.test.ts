// DR08-3: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { kextHasASuccessor } from "./kext-has-a-successor.ts";

test("DR08-3 fires: source", async () => {
  await assertFires(
    kextHasASuccessor,
    {
      a: "#include <IOKit/scsi/IOSCSIPeripheralDeviceType00.h>\n#define super IOSCSIPeripheralDeviceType00\nclass SecureDrive : public IOSCSIPeripheralDeviceType00\n{\n  OSDeclareDefaultStructors(SecureDrive)\n};\nbool SecureDrive::start(IOService * provider) {\n}\n",
    },
    /SCSIPeripheralsDriverKit can do/,
  );
});

test("DR08-3 fires: Info.plist", async () => {
  await assertFires(
    kextHasASuccessor,
    {
      a: `<?xml version="1.0"?><plist version="1.0"><dict>\n<key>CFBundleIdentifier</key><string>org.example.kext</string>\n<key>IOKitPersonalities</key><dict></dict>\n<key>OSBundleLibraries</key><dict>\n<key>com.apple.iokit.IOSCSIArchitectureModelFamily</key><string>3.0</string></dict></dict></plist>`,
    },
    /linked against/,
  );
});

test("DR08-3 is silent: a dext", async () => {
  await assertSilent(kextHasASuccessor, {
    a: "#include <SCSIPeripheralsDriverKit/IOUserSCSIPeripheralDeviceType00.h>\nclass SecureDrive : public IOUserSCSIPeripheralDeviceType00\n{\n};\nkern_return_t SecureDrive::Start(int x) {\n}\n",
  });
});
