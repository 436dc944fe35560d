// A Mac's list of USB devices in its three forms: the same devices, for match, registry and diagnose.

import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseDrivers } from "@drydock/core/platform/driver-choice";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import { compareRegistries } from "@drydock/core/platform/registry-comparison";
import { diagnose } from "../diagnose.ts";
import { sourceOfText } from "../facts/evidence-source.ts";
import { matchEvidence, registryOf } from "../match-evidence.ts";
import { plist } from "../test/samples.ts";
import { collectEvidence } from "./collect.ts";

const text = `USB:

    USB 3.1 Bus:

      Host Controller Driver: AppleT8103USBXHCI

        Dock Hub:

          Product ID: 0x0411
          Vendor ID: 0x0bda  (Realtek Semiconductor Corp.)
          Version: 1.17
          Speed: Up to 5 Gb/s
          Manufacturer: Generic
          Location ID: 0x02500000 / 1
          Current Available (mA): 900
          Current Required (mA): 0
          Extra Operating Current (mA): 0

            Lab: Meter:

              Product ID: 0x6001
              Vendor ID: 0x0403  (Future Technology Devices International Limited)
              Version: 6.00
              Serial Number: FT9ABCDE
              Speed: Up to 12 Mb/s
              Manufacturer: FTDI
              Location ID: 0x02510000 / 3
              Current Available (mA): 100
              Current Required (mA): 500

        Keyboard:

          Product ID: 0x0250
          Vendor ID: 0x05ac (Apple Inc.)
          Version: 0.74
          Serial Number:
          Speed: Up to 1.5 Mb/s
`;

const hub = {
  _name: "Dock Hub",
  bcd_device: "1.17",
  bus_power: "900",
  bus_power_used: "0",
  device_speed: "super_speed",
  location_id: "0x02500000 / 1",
  manufacturer: "Generic",
  product_id: "0x0411",
  vendor_id: "0x0bda  (Realtek Semiconductor Corp.)",
  _items: [
    {
      _name: "Lab: Meter",
      bcd_device: "6.00",
      bus_power: "100",
      bus_power_used: "500",
      device_speed: "full_speed",
      location_id: "0x02510000 / 3",
      manufacturer: "FTDI",
      product_id: "0x6001",
      serial_num: "FT9ABCDE",
      vendor_id: "0x0403  (Future Technology Devices International Limited)",
    },
  ],
};
const keyboard = {
  _name: "Keyboard",
  bcd_device: "0.74",
  device_speed: "low_speed",
  product_id: "0x0250",
  vendor_id: "apple_vendor_id",
};
const bus = { _name: "USB 3.1 Bus", host_controller: "AppleT8103USBXHCI", _items: [hub, keyboard] };
const forms = {
  text,
  "text in a mail": text.replaceAll(/^/gm, "> "),
  json: JSON.stringify({ SPUSBDataType: [bus] }, null, 2),
  xml: plist([
    { _dataType: "SPHardwareDataType", _items: [] },
    { _dataType: "SPUSBDataType", _items: [bus] },
  ] as never),
};

const expected = [
  ["USB 3.1 Bus", "", undefined, undefined, []],
  ["Dock Hub", "02500000", 0x0bda, 0x0117, ["USB 3.1 Bus"]],
  ["Lab: Meter", "02510000", 0x0403, 0x0600, ["USB 3.1 Bus", "Dock Hub"]],
  ["Keyboard", "", 0x05ac, 0x0074, ["USB 3.1 Bus"]],
];

for (const [name, listing] of Object.entries(forms))
  test(`system_profiler as ${name}: buses and devices, each under the one that it hangs from`, async () => {
    const evidence = await collectEvidence([sourceOfText("usb", listing)], []);
    assert.deepEqual(evidence.files[0].kinds, ["USB device listing"]);
    assert.deepEqual(
      evidence
        .facts("usb-listing")
        .map(({ value }) => [
          value.name,
          value.location,
          value.properties.idVendor,
          value.properties.bcdDevice,
          value.parents.map((parent) => parent.name),
        ]),
      expected,
    );
    const meter = evidence.facts("usb-listing")[2];
    assert.match(meter.value.placeOf("idVendor").text, /0x0403|vendor_id/);
    assert.equal(meter.value.properties.Speed, "Up to 12 Mb/s");
    assert.ok(evidence.secrets.some(({ kind, text: secret }) => kind === "serial" && secret === "FT9ABCDE"));
  });

test("match: a driver for the device binds, one for another product does not, and what a listing lacks is said", async () => {
  for (const listing of Object.values(forms)) {
    const { nubs } = await matchEvidence([sourceOfText("usb", listing)]);
    assert.deepEqual(
      nubs.map(({ place }) => place.split("/").at(-1)),
      ["Dock Hub@02500000", "Lab: Meter@02510000", "Keyboard"],
    );
    const offer = (idProduct: number) => ({
      identifier: `org.example.p${idProduct}`,
      personalities: {
        P: { IOProviderClass: "IOUSBHostDevice", IOUserClass: "D", idVendor: 0x0403, idProduct },
      },
      entitlements: null,
    });
    const chosen = chooseDrivers([offer(0x6001), offer(0x6002)], nubs[1].subject, platformProfile("macos15"));
    assert.deepEqual(
      chosen.map(({ offer: { identifier }, outcome, verdict }) => [
        identifier,
        outcome,
        verdict.decidedBy?.key,
      ]),
      [
        ["org.example.p24577", "binds", undefined],
        ["org.example.p24578", "no match", "idProduct"],
      ],
    );
    assert.match(nubs[1].alsoThere.join(), /no classes, configurations and interfaces/);
  }
});

test("registry: a listing is a tree, and two of them say what was plugged in", async () => {
  const before = await registryOf([
    sourceOfText("before", text.replace(/ {12}Lab: Meter:[\s\S]*(?= {8}Keyboard)/, "")),
  ]);
  const after = await registryOf([sourceOfText("after", forms.json)]);
  assert.ok(before !== null && after !== null);
  const { appeared, changed, left } = compareRegistries(before, after);
  assert.deepEqual(
    [appeared.map(({ path }) => path.split("/").at(-1)), left, changed],
    [["Lab: Meter@02510000"], [], []],
  );
});

test("diagnose: what is plugged in, and who asks for more current than there is; no driver is called absent", async () => {
  const { answers, hints, readings } = await diagnose([
    sourceOfText("usb.txt", text),
    sourceOfText(
      "Info.plist",
      plist({
        CFBundleIdentifier: "org.example.drv",
        CFBundlePackageType: "DEXT",
        IOKitPersonalities: {
          P: {
            CFBundleIdentifier: "org.example.drv",
            IOClass: "IOUserService",
            IOUserClass: "D",
            IOUserServerName: "org.example.drv",
            IOProviderClass: "IOUSBHostDevice",
            idVendor: 0x0403,
            idProduct: 0x6001,
          },
        },
      }),
    ),
  ]);
  assert.deepEqual(
    [...answers, ...hints].map(({ claim }) => claim),
    [],
  );
  const [{ text: line }] = readings;
  assert.match(line, /^list of USB devices, 3: Dock Hub \(0bda:0411 up to 5 gb\/s\), Lab: Meter \(0403:6001/);
  assert.match(line, /Lab: Meter asks for 500 mA where 100 are there/);
});
