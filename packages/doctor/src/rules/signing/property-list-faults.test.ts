// FX-PLIST: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { propertyListFaults } from "./property-list-faults.ts";

test("FX-PLIST fires: a number as text", async () => {
  await assertFires(
    propertyListFaults,
    {
      i: `<?xml version="1.0"?>
<plist version="1.0"><dict>
<key>CFBundleIdentifier</key><string>org.example.pad</string><key>CFBundlePackageType</key><string>DEXT</string><key>IOKitPersonalities</key><dict><key>Pad</key><dict><key>IOUserClass</key><string>Pad</string><key>IOProviderClass</key><string>IOUSBHostInterface</string><key>idVendor</key><string>0x1209</string></dict></dict>
</dict></plist>
`,
    },
    /idVendor of the personality "Pad" is a string and must be an integer \(4617\)/,
  );
});

test("FX-PLIST fires: a key outside the personality", async () => {
  await assertFires(
    propertyListFaults,
    {
      i: `<?xml version="1.0"?>
<plist version="1.0"><dict>
<key>CFBundleIdentifier</key><string>org.example.pad</string><key>CFBundlePackageType</key><string>DEXT</string><key>IOKitPersonalities</key><dict><key>Pad</key><dict><key>IOUserClass</key><string>Pad</string><key>IOProviderClass</key><string>IOUSBHostInterface</string></dict></dict><key>UserClientProperties</key><dict><key>IOUserClass</key><string>PadUserClient</string></dict>
</dict></plist>
`,
    },
    /UserClientProperties stands at the top of the Info\.plist and must stand inside the personality "Pad"/,
  );
});

test("FX-PLIST fires: a key that nobody reads", async () => {
  await assertFires(
    propertyListFaults,
    {
      i: `<?xml version="1.0"?>
<plist version="1.0"><dict>
<key>CFBundleIdentifier</key><string>org.example.pad</string><key>CFBundlePackageType</key><string>DEXT</string><key>IOKitPersonalities</key><dict><key>Pad</key><dict><key>IOUserClass</key><string>Pad</string><key>IOProviderClass</key><string>IOUSBHostInterface</string><key>idVender</key><integer>4617</integer></dict></dict>
</dict></plist>
`,
    },
    /idVender .* meant is idVendor/,
  );
});

test("FX-PLIST fires: a boolean as text", async () => {
  await assertFires(
    propertyListFaults,
    {
      i: `<?xml version="1.0"?>
<plist version="1.0"><dict>
<key>CFBundleIdentifier</key><string>org.example.pad</string><key>CFBundlePackageType</key><string>DEXT</string><key>IOKitPersonalities</key><dict><key>Pad</key><dict><key>IOUserClass</key><string>Pad</string><key>IOProviderClass</key><string>IOUSBHostInterface</string><key>IOPCITunnelCompatible</key><string>true</string></dict></dict>
</dict></plist>
`,
    },
    /IOPCITunnelCompatible .* must be true or false/,
  );
});

test("FX-PLIST is silent: integers, and a variable of the build", async () => {
  await assertSilent(propertyListFaults, {
    i: `<?xml version="1.0"?>
<plist version="1.0"><dict>
<key>CFBundleIdentifier</key><string>org.example.pad</string><key>CFBundlePackageType</key><string>DEXT</string><key>IOKitPersonalities</key><dict><key>Pad</key><dict><key>IOUserClass</key><string>Pad</string><key>IOProviderClass</key><string>IOUSBHostInterface</string><key>idVendor</key><integer>4617</integer><key>idProduct</key><string>$(PRODUCT)</string></dict></dict>
</dict></plist>
`,
  });
});

const listOf = (personality: string, head = "<key>CFBundlePackageType</key><string>DEXT</string>"): string =>
  `<?xml version="1.0"?>
<plist version="1.0"><dict><key>CFBundleIdentifier</key><string>org.example.pad</string>${head}<key>IOKitPersonalities</key><dict>${personality}</dict></dict></plist>
`;
const text = (key: string, value: string): string => `<key>${key}</key><string>${value}</string>`;
const own = [
  text("CFBundleIdentifier", "org.example.pad"),
  text("IOClass", "IOUserService"),
  text("IOUserClass", "Pad"),
  text("IOUserServerName", "org.example.pad"),
].join("");
const pad = (more: string): string =>
  listOf(`<key>Pad</key><dict>${own}${text("IOProviderClass", "IOUSBHostDevice")}${more}</dict>`);
const client = (more: string): string =>
  `<key>UserClientProperties</key><dict>${text("IOUserClass", "PadClient")}${more}</dict>`;

const shapes: readonly (readonly [what: string, list: string, claim: RegExp])[] = [
  [
    "no name of a personality",
    listOf(`${own}${text("IOProviderClass", "IOUSBHostDevice")}`),
    /stand in IOKitPersonalities itself/,
  ],
  [
    "a level too deep",
    listOf(
      `<key>Outer</key><dict><key>Pad</key><dict>${own}${text("IOProviderClass", "IOUSBHostDevice")}</dict></dict>`,
    ),
    /"Pad" stands in "Outer", one level too deep/,
  ],
  [
    "an id of more than two bytes",
    pad("<key>idVendor</key><integer>70000</integer>"),
    /idVendor .* is 70000; the field of a device holds 0 to 65535/,
  ],
  ["an id below 0", pad("<key>idProduct</key><integer>-2</integer>"), /idProduct .* is -2/],
  ["a class of more than a byte", pad("<key>bInterfaceClass</key><integer>256</integer>"), /holds 0 to 255/],
  [
    "matching keys in the user client's dictionary",
    pad(client(`${text("IOClass", "IOUserUserClient")}<key>idVendor</key><integer>5</integer>`)),
    /idVendor stands in UserClientProperties .* restricts nothing/,
  ],
  ["a user client without the kernel's class", pad(client("")), /UserClientProperties .* has no IOClass/],
  [
    "a user client of another class",
    pad(client(text("IOClass", "IOUserClient"))),
    /has IOClass IOUserClient: .*0xe00002c7/,
  ],
  [
    "a provider misspelt",
    listOf(`<key>Pad</key><dict>${own}${text("IOProviderClass", "IOUSBHostInterfaces")}</dict>`),
    /IOProviderClass .* meant is IOUSBHostInterface/,
  ],
  [
    "a kernel class misspelt",
    listOf(
      `<key>Pad</key><dict>${own.replace("IOUserService", "IOUserServices")}${text("IOProviderClass", "IOUSBHostDevice")}</dict>`,
    ),
    /IOClass .* meant is IOUserService: the kernel has no such class/,
  ],
  [
    "another bundle's id",
    listOf(
      `<key>Pad</key><dict>${own.replace("org.example.pad", "org.example.other")}${text("IOProviderClass", "IOUSBHostDevice")}</dict>`,
    ),
    /is org\.example\.other, and the bundle is org\.example\.pad/,
  ],
  [
    "one process for services of another maker",
    listOf(
      `<key>Pad</key><dict>${text("IOUserClass", "Pad")}${text("IOUserServerName", "com.other.pad")}<key>IOUserServerOneProcess</key><true/>${text("IOProviderClass", "IOUSBHostDevice")}</dict>`,
    ),
    /is com\.other\.pad, .* first two parts must be equal/,
  ],
  [
    "the type of an app",
    listOf(
      `<key>Pad</key><dict>${own}${text("IOProviderClass", "IOUSBHostDevice")}</dict>`,
      "<key>CFBundlePackageType</key><string>APPL</string>",
    ),
    /CFBundlePackageType is APPL, .* its bundle says DEXT/,
  ],
];
for (const [what, list, claim] of shapes)
  test(`FX-PLIST fires: ${what}`, async () => {
    await assertFires(propertyListFaults, { i: list }, claim);
  });

test("FX-PLIST hints: a provider of kernel extensions before macOS 10.11", async () => {
  await assertFires(
    propertyListFaults,
    { i: listOf(`<key>Pad</key><dict>${own}${text("IOProviderClass", "IOUSBDevice")}</dict>`) },
    /stand on IOUSBHostDevice/,
    "hint",
  );
});

test("FX-PLIST hints: a plain service where a user client is looked for", async () => {
  await assertFires(
    propertyListFaults,
    { i: pad(client(text("IOClass", "IOUserService"))) },
    /has IOClass IOUserService: .*0xe00002c7/,
    "hint",
  );
});

test("FX-PLIST is silent: a driver makes the service of a family from a dictionary of that name", async () => {
  for (const name of ["IOUserSerial", "IOUserNetworkEthernet", "AppleUserHIDDevice"])
    await assertSilent(propertyListFaults, {
      i: pad(
        client(
          `${text("IOClass", name)}${text("IOProviderClass", "Pad")}<key>idVendor</key><integer>5</integer>`,
        ),
      ),
    });
});

test("FX-PLIST is silent: variables, the ends of ranges, one maker's process, keys for a property's match", async () => {
  await assertSilent(propertyListFaults, {
    i: pad(
      `<key>idVendor</key><integer>65535</integer><key>bDeviceClass</key><integer>255</integer><key>IOUserServerOneProcess</key><true/><key>IOPropertyMatch</key><dict><key>idProduct</key><integer>7</integer></dict>${client(text("IOClass", "IOUserUserClient"))}`,
    ),
    // A driver that stands on another one of the same maker.
    j: listOf(
      `<key>Other</key><dict>${own.replace("IOUserService", "$(CLASS)")}${text("IOProviderClass", "PadDriver")}</dict>`,
      "<key>CFBundlePackageType</key><string>$(PRODUCT_BUNDLE_PACKAGE_TYPE)</string>",
    ),
  });
});

test("FX-PLIST is silent: a category of its own, on what another driver of the same maker published", async () => {
  await assertSilent(propertyListFaults, {
    i: listOf(
      `<key>Pad</key><dict>${own}${text("IOProviderClass", "IOUserService")}${text("IOMatchCategory", "org.example.pad.ports")}<key>IOPropertyMatch</key><dict><key>PadPorts</key><true/></dict></dict>`,
    ),
  });
});

test("FX-PLIST is silent: a personality that sends a kernel's driver to the device names that one's bundle", async () => {
  const composite = [
    text("CFBundleIdentifier", "com.apple.driver.usb.AppleUSBHostCompositeDevice"),
    text("IOClass", "AppleUSBHostCompositeDevice"),
    text("IOProviderClass", "IOUSBHostDevice"),
    "<key>idVendor</key><integer>4617</integer><key>idProduct</key><integer>7</integer>",
  ].join("");
  await assertSilent(propertyListFaults, {
    i: listOf(
      `<key>Both</key><dict>${composite}</dict><key>Pad</key><dict>${own}${text("IOProviderClass", "IOUSBHostInterface")}</dict>`,
    ),
  });
});
