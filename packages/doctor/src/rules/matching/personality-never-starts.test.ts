// FX-PERSONALITY: what fires it, and near misses. The kinds are those of public trees (docs/field-check-preflight.md).

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { personalityNeverStarts } from "./personality-never-starts.ts";

const plist = (personality: string, top = ""): { i: string } => ({
  i: `<?xml version="1.0"?>
<plist version="1.0"><dict>
<key>CFBundleIdentifier</key><string>org.example.pad</string><key>CFBundlePackageType</key><string>DEXT</string>${top}<key>IOKitPersonalities</key><dict><key>Pad</key><dict><key>IOUserClass</key><string>Pad</string>${personality}</dict></dict>
</dict></plist>
`,
});
const key = (name: string, value: string): string => `<key>${name}</key><string>${value}</string>`;
const server = key("IOUserServerName", "org.example.pad");
const executable = key("CFBundleExecutable", "Pad");

test("FX-PERSONALITY fires: the driver's class stands where the kernel's belongs", async () => {
  await assertFires(
    personalityNeverStarts,
    plist(key("IOClass", "IOUserHIDEventService") + key("IOProviderClass", "IOHIDInterface") + server),
    /IOClass of the personality "Pad" is IOUserHIDEventService, a class of DriverKit/,
  );
});

test("FX-PERSONALITY fires: nothing is ever a provider of that class", async () => {
  await assertFires(
    personalityNeverStarts,
    plist(key("IOClass", "AppleUserHIDDevice") + key("IOProviderClass", "IOUserHIDDevice") + server),
    /IOProviderClass of the personality "Pad" is IOUserHIDDevice/,
  );
});

test("FX-PERSONALITY fires: a whole list whose personality names no process", async () => {
  await assertFires(
    personalityNeverStarts,
    plist(key("IOClass", "IOUserService") + key("IOProviderClass", "IOUSBHostDevice"), executable),
    /"Pad" has no IOUserServerName, .* looks for IOUserService in itself/,
  );
});

test("FX-PERSONALITY hints: an interface by its product and number, without the configuration", async () => {
  await assertFires(
    personalityNeverStarts,
    plist(
      `${key("IOClass", "IOUserService")}${key("IOProviderClass", "IOUSBHostInterface")}${server}<key>idVendor</key><integer>4617</integer><key>idProduct</key><integer>7</integer><key>bInterfaceNumber</key><integer>0</integer>`,
      executable,
    ),
    /idVendor \+ idProduct \+ bInterfaceNumber, which is none of the combinations/,
    "hint",
  );
});

test("FX-PERSONALITY hints: a user client without the identifier that apps are compared by", async () => {
  await assertFires(
    personalityNeverStarts,
    plist(
      `${key("IOClass", "IOUserService")}${key("IOProviderClass", "IOUserResources")}${server}<key>PadClient</key><dict>${key("IOClass", "IOUserUserClient")}${key("IOUserClass", "PadClient")}</dict>`,
      executable,
    ),
    /"Pad" has no CFBundleIdentifier/,
    "hint",
  );
});

test("FX-PERSONALITY is silent: the kernel's classes, a row of USB's table with a key more, an excerpt without a process", async () => {
  await assertSilent(
    personalityNeverStarts,
    plist(
      `${key("IOClass", "IOUserService")}${key("IOProviderClass", "IOUSBHostInterface")}<key>idVendor</key><integer>4617</integer><key>idProduct</key><integer>7</integer><key>bInterfaceNumber</key><integer>0</integer><key>bConfigurationValue</key><integer>1</integer><key>bInterfaceClass</key><integer>255</integer>`,
    ),
  );
});

test("FX-PERSONALITY hints: no identifier in the personality, before any user client is named", async () => {
  await assertFires(
    personalityNeverStarts,
    plist(key("IOClass", "IOUserService") + key("IOProviderClass", "IOUserResources") + server, executable),
    /"Pad" has no CFBundleIdentifier: .* once an app opens the driver/,
    "hint",
  );
});
