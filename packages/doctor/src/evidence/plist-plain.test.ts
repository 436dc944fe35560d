// Property lists that are no XML: each form says the same as XML; what is broken or huge says so and costs little.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "@drydock/core/base/random";
import type { PropertyValue } from "@drydock/core/platform/properties";
import { diagnose } from "../diagnose.ts";
import { sourceOfText } from "../facts/evidence-source.ts";
import { collectEvidence } from "./collect.ts";
import { parsePlainPlist } from "./plist-plain.ts";
import { TextDocument } from "./reader.ts";

const read = (text: string): PropertyValue => parsePlainPlist(new TextDocument("x", text), 0).value;

test("the forms of Apple's guide: quoted and bare texts, data, lists, dictionaries, comments, escapes", () => {
  assert.deepEqual(
    read(
      `{ // the guide's own kinds
      String = "He said \\"hi\\" \\U0041\\101"; bare-word = org.example.app/1; /* data */ Data = <0fbd777 1c2735ae0 >;
      Array = ("San Francisco", "New York",); Dictionary = { user = maryg; empty = ""; };
    }`.replace("0fbd777 1", "0fbd77 71"),
    ),
    {
      String: 'He said "hi" AA',
      "bare-word": "org.example.app/1",
      Data: Uint8Array.of(0x0f, 0xbd, 0x77, 0x71, 0xc2, 0x73, 0x5a, 0xe0),
      Array: ["San Francisco", "New York"],
      Dictionary: { user: "maryg", empty: "" },
    },
  );
  assert.deepEqual(read(`{"a": 1, "b": [true, null, -2.5e1, "x"], "c": {}}`), {
    a: 1,
    b: [true, "null", -25, "x"],
    c: {},
  });
  assert.deepEqual(
    read(
      `{\n  "a" => 1\n  "b" => [\n    0 => "x"\n    1 => {\n      "n" => 7\n    }\n  ]\n  "d" => {length = 3, bytes = 0x0a0b0c}\n}`,
    ),
    {
      a: 1,
      b: ["x", { n: 7 }],
      d: Uint8Array.of(10, 11, 12),
    },
  );
});

const personality = { IOClass: "IOUserService", IOProviderClass: "IOUSBHostDevice", idVendor: 4660 };
const forms = {
  json: JSON.stringify(
    { CFBundleIdentifier: "org.example.drv", IOKitPersonalities: { P: personality } },
    null,
    2,
  ),
  old: `// made by hand
{
  CFBundleIdentifier = "org.example.drv";
  IOKitPersonalities = { P = { IOClass = IOUserService; IOProviderClass = IOUSBHostDevice; idVendor = 4660; }; };
}
`,
  printed: `% plutil -p Info.plist
{
  "CFBundleIdentifier" => "org.example.drv"
  "IOKitPersonalities" => {
    "P" => {
      "IOClass" => "IOUserService"
      "IOProviderClass" => "IOUSBHostDevice"
      "idVendor" => 4660
    }
  }
}
`,
};

for (const [name, text] of Object.entries(forms))
  test(`an Info.plist as ${name} is read with the line of each key`, async () => {
    const evidence = await collectEvidence([sourceOfText("Info.plist", text)], []);
    assert.deepEqual(evidence.files[0], {
      name: "Info.plist",
      kinds: ["Info.plist"],
      sizeBytes: text.length,
      problems: [],
    });
    const [{ value }] = evidence.facts("property-list");
    // An old-style list has no numbers: the text is what the system gets.
    const expected = name === "old" ? { ...personality, idVendor: "4660" } : personality;
    assert.deepEqual(value.value, {
      CFBundleIdentifier: "org.example.drv",
      IOKitPersonalities: { P: expected },
    });
    assert.match(value.placeOf("IOKitPersonalities/P/idVendor").text, /idVendor/);
  });

test("what codesign prints of entitlements is read as entitlements", async () => {
  const text = [
    "Executable=/Library/SystemExtensions/x/org.example.drv.dext/org.example.drv",
    "[Dict]",
    "\t[Key] com.apple.developer.driverkit",
    "\t[Value]",
    "\t\t[Bool] true",
    "\t[Key] com.apple.developer.driverkit.transport.usb",
    "\t[Value]",
    "\t\t[Array]",
    "\t\t\t[Dict]",
    "\t\t\t\t[Key] idVendor",
    "\t\t\t\t[Value]",
    "\t\t\t\t\t[Int] 4660",
    "\t[Key] com.apple.security.app-sandbox",
    "\t[Value]",
    "\t\t[Bool] false",
    "done",
  ].join("\n");
  const evidence = await collectEvidence([sourceOfText("x", text)], []);
  assert.deepEqual(evidence.files[0].kinds, ["entitlements"]);
  const [{ value }] = evidence.facts("property-list");
  assert.deepEqual(value.value, {
    "com.apple.developer.driverkit": true,
    "com.apple.developer.driverkit.transport.usb": [{ idVendor: 4660 }],
    "com.apple.security.app-sandbox": false,
  });
  assert.equal(value.placeOf("com.apple.developer.driverkit.transport.usb").line, 6);
});

test("rules judge these lists: a number of an old-style list is a text, and nothing matches it", async () => {
  const { answers } = await diagnose([
    sourceOfText(
      "Info.plist",
      `{ CFBundleIdentifier = "org.example.drv"; CFBundlePackageType = DEXT; IOKitPersonalities = { P = { CFBundleIdentifier = "org.example.drv"; IOClass = IOUserService; IOUserClass = D; IOUserServerName = s; IOProviderClass = IOUSBHostDevice; idVendor = 4660; idProduct = 2; }; }; }`,
    ),
  ]);
  assert.ok(
    answers.some(({ claim, rule }) => rule === "FX-PLIST" && /idVendor/.test(claim)),
    answers.map(({ claim }) => claim).join("; "),
  );
});

test("other texts with braces are no lists; a list that is cut says so", async () => {
  const { files } = await diagnose([
    sourceOfText("package.json", `{\n "name": "x", "build": { "appId": "CFBundleIdentifier" } }\n`),
    sourceOfText(
      "main.swift",
      `let a = [\n  "CFBundleIdentifier": 1\n]\nfunc f()\n{ print("com.apple.developer.x") }\n`,
    ),
    sourceOfText("cut", `{ CFBundleIdentifier = "org.example.drv"; IOKitPersonalities = { P = { IOClass`),
  ]);
  assert.ok(!files[0].kinds.includes("Info.plist"), files[0].kinds.join());
  const registry = await collectEvidence(
    [
      sourceOfText(
        "ioreg.txt",
        `+-o Pad  <class IOUserService, id 0x100000abc, registered, matched, active, busy 0 (0 ms), retain 8>\n  {\n    "IOUserClass" = "Pad"\n    "CFBundleIdentifier" = "org.example.pad"\n    "IOProviderClass" = "IOUSBHostDevice"\n  }\n`,
      ),
      sourceOfText("part.txt", `  {\n    "CFBundleIdentifier" = "org.example.pad"\n  }\n`),
    ],
    [],
  );
  assert.deepEqual(registry.facts("property-list"), []);
  assert.deepEqual(registry.files[0].kinds, ["registry dump"]);
  assert.ok(!files[1].kinds.includes("Info.plist"), files[1].kinds.join());
  assert.deepEqual(files[2].kinds, ["Info.plist"]);
  assert.match(files[2].problems.join(), /not whole \(line 1: /);
});

test("nested without end, and ten thousand mutated lists: an end each time", async () => {
  const deep = await collectEvidence(
    [sourceOfText("deep", `{ CFBundleIdentifier = a; b = ${"(".repeat(100_000)}`)],
    [],
  );
  assert.match(deep.files[0].problems.join(), /nested deeper than 64/);
  const random = new Random(24);
  const seeds = Object.values(forms);
  const marks = "{}()[]<>=;:,\"'\\/* 0a\n";
  let whole = 0;
  for (let round = 0; round < 10_000; round++) {
    const letters = [...seeds[round % seeds.length]];
    for (let change = random.between(1, 4); change > 0; change--)
      letters[random.below(letters.length)] = marks[random.below(marks.length)];
    const document = new TextDocument("x", letters.join(""));
    const { end, problem } = parsePlainPlist(document, document.text.indexOf("{"));
    assert.ok(end <= document.text.length);
    if (problem === null) whole++;
  }
  assert.ok(whole > 500 && whole < 9_500, String(whole));
});
