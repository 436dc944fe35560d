// DR01-2: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { phoneAppLooksForDriver } from "./phone-app-looks-for-driver.ts";

const code = `#import <IOKit/IOKitLib.h>

static io_connect_t openReader(void)
{
    io_connect_t connect = 0;
    io_service_t service = IOServiceGetMatchingService(kIOMainPortDefault, IOServiceNameMatching("Reader"));
    IOServiceOpen(service, mach_task_self(), 0, &connect);
    return connect;
}
`;
const list = (families: string) =>
  `<?xml version="1.0"?><plist version="1.0"><dict><key>CFBundleIdentifier</key><string>org.example.app</string><key>UIDeviceFamily</key><array>${families}</array></dict></plist>`;

test("DR01-2 fires: IOServiceGetMatchingService is called in an app for iPhone", async () => {
  await assertFires(
    phoneAppLooksForDriver,
    { code, list: list("<integer>1</integer>") },
    /IOServiceGetMatchingService is called in an app for iPhone/,
  );
});

test("DR01-2 fires: the project's devices say iPhone", async () => {
  await assertFires(
    phoneAppLooksForDriver,
    { code, project: "// !$*UTF8*$!\n{\n\tTARGETED_DEVICE_FAMILY = 1;\n}\n" },
    /in an app for iPhone/,
  );
});

test("DR01-2 is silent on an app for iPhone and iPad", async () => {
  await assertSilent(phoneAppLooksForDriver, {
    code,
    list: list("<integer>1</integer><integer>2</integer>"),
    project: '// !$*UTF8*$!\n{\n\tTARGETED_DEVICE_FAMILY = "1,2";\n}\n',
  });
});
