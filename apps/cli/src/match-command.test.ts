// drydock match and registry --against: match says what the rigs do, from the machine and from its dump.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Random } from "@drydock/core/base/random";
import { chooseDrivers } from "@drydock/core/platform/driver-choice";
import { formatRegistryPlist, formatRegistryTree } from "@drydock/core/platform/evidence/registry-dump";
import type { Properties } from "@drydock/core/platform/properties";
import { type BuiltRig, rigCatalogue } from "@drydock/core/rigs/catalogue";
import { sourceOfText } from "@drydock/doctor/facts/evidence-source";
import { matchEvidence, type Nub } from "@drydock/doctor/match-evidence";
import { hostTurn } from "@drydock/node/host-turn";
import { recordedIo } from "../test/recorded-io.ts";
import { nubsOfMachine, offersOfRig, startRefusalIn } from "./actions/match.ts";
import { commandTable } from "./command-table.ts";
import { runCommandLine } from "./grammar/command-line.ts";

const settleNs = 30e9;
let folder = "";
before(() => {
  folder = mkdtempSync(join(tmpdir(), "drydock-match-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** "nub: bundle personality" of everything that started. */
function started(rig: BuiltRig): string[] {
  return rig.machine.matchReports
    .filter(({ outcome }) => outcome === "started")
    .map(
      ({ nub, candidate }) => `${nub}: ${candidate.installed.bundle.identifier} ${candidate.personalityName}`,
    )
    .sort();
}

/** The same as `match` foresees it. */
function foreseen(rig: BuiltRig, nubs: readonly Nub[]): string[] {
  const { machine } = rig;
  return nubs
    .flatMap(({ place, subject }) =>
      chooseDrivers(offersOfRig(rig), subject, machine.profile, startRefusalIn(machine)(place))
        .filter(({ outcome }) => outcome === "binds")
        .map(({ offer, personalityName }) => `${place}: ${offer.identifier} ${personalityName}`),
    )
    .sort();
}

for (const entry of rigCatalogue)
  test(`match and the rig ${entry.name} agree, from the machine itself and from its dumps`, async () => {
    const rig = entry.build({ seed: 1, turn: hostTurn });
    await rig.machine.run(settleNs);
    const real = started(rig);
    assert.ok(real.length > 0);
    assert.deepEqual(foreseen(rig, nubsOfMachine(rig.machine)), real);
    const snapshot = rig.machine.registry.snapshot();
    for (const text of [formatRegistryTree(snapshot), formatRegistryPlist(snapshot)]) {
      const { nubs, running } = await matchEvidence([sourceOfText("ioreg.txt", text)]);
      // Its places are names, the machine's are those of its planes: what binds is compared, as often as it does.
      const refusals = rig.machine.matchReports.filter(({ outcome }) => outcome.startsWith("Start failed"));
      const bound = nubs.flatMap(({ subject }) =>
        chooseDrivers(offersOfRig(rig), subject, rig.machine.profile, (identifier, name) =>
          refusals.some(
            ({ candidate }) =>
              candidate.personalityName === name && candidate.installed.bundle.identifier === identifier,
          )
            ? "refused"
            : null,
        )
          .filter(({ outcome }) => outcome === "binds")
          .map(({ offer, personalityName }) => `${offer.identifier} ${personalityName}`),
      );
      assert.deepEqual(bound.sort(), real.map((line) => line.slice(line.indexOf(": ") + 2)).sort());
      assert.ok(running.length > 0, "what runs there is taken with the personality that matched");
    }
  });

/** One change of one personality: what people get wrong, and what decides between two. */
function mutated(personality: Properties, random: Random): Properties {
  const keys = Object.keys(personality).filter((key) => !["IOUserClass", "IOClass"].includes(key));
  const key = keys[random.below(keys.length)];
  const value = personality[key];
  const { [key]: _, ...rest } = personality;
  const ways: readonly (() => Properties)[] = [
    () => rest,
    () => ({ ...rest, [key]: String(value) }),
    () => ({ ...rest, [key]: typeof value === "number" ? value + 1 : 7 }),
    () => ({ ...personality, IOProbeScore: 5000 + random.below(100_000) }),
    () => ({ ...personality, IOMatchCategory: `org.example.category-${random.below(3)}` }),
    () => ({
      ...personality,
      IOProviderClass: ["IOUSBHostDevice", "IOUSBHostInterface", "IOHIDInterface"][random.below(3)],
    }),
    () => ({ ...personality, IOPropertyMatch: { "no such key": 1 } }),
    () => ({ ...personality, bcdDevice: 1 + random.below(0x9999) }),
    () => ({ ...personality, IONameMatch: ["somebody", "else"] }),
    () => ({ ...personality, [key]: value, idProductMask: 0xff00 }),
  ];
  return ways[random.below(ways.length)]();
}

test("match and the rigs agree on 50 mutated personalities", async () => {
  const random = new Random(24);
  const changed = { bound: 0, not: 0 };
  for (let count = 0; count < 50; count++) {
    const entry = rigCatalogue[count % rigCatalogue.length];
    const rig = entry.build({ seed: 1, turn: hostTurn, trace: false });
    const { bundles } = rig.machine.loading;
    const { bundle } = bundles[random.below(bundles.length)];
    const names = Object.keys(bundle.personalities);
    const name = names[random.below(names.length)];
    const personality = mutated(bundle.personalities[name], random);
    // Some stand beside the right one, as two versions of a driver do.
    const isRival = random.below(3) === 0;
    rig.machine.install({
      ...bundle,
      ...(isRival ? { identifier: `${bundle.identifier}.rival` } : {}),
      personalities: { ...(isRival ? {} : bundle.personalities), [name]: personality },
    });
    await rig.machine.run(settleNs);
    const label = `${entry.name} ${name} ${JSON.stringify(personality)}`;
    const real = [...new Set(started(rig))];
    assert.deepEqual(foreseen(rig, nubsOfMachine(rig.machine)), real, label);
    if (real.some((line) => line.endsWith(` ${name}`))) changed.bound++;
    else changed.not++;
  }
  assert.ok(changed.bound >= 5 && changed.not >= 5, JSON.stringify(changed));
});

async function run(line: readonly string[]): Promise<{ code: number; printed: string; said: string }> {
  const io = recordedIo();
  const code = await runCommandLine(commandTable, line, io);
  return { code, printed: io.printed(), said: io.said() };
}

const plist = (personality: string): string => `<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><dict><key>CFBundleIdentifier</key><string>org.example.driver</string><key>CFBundlePackageType</key><string>DEXT</string>
<key>IOKitPersonalities</key><dict><key>Mine</key><dict><key>IOUserClass</key><string>Mine</string>${personality}</dict></dict></dict></plist>`;

test("a driver of one's own on what lsusb -v prints: the wrong key is named, the right one binds", async () => {
  const listing = join(folder, "lsusb.txt");
  writeFileSync(
    listing,
    `Device Descriptor:
  bLength                18
  bcdUSB               2.00
  bDeviceClass            0
  bDeviceSubClass         0
  bDeviceProtocol         0
  bMaxPacketSize0        64
  idVendor           0x1209 Somebody
  idProduct          0x0007
  bcdDevice            1.00
  iManufacturer           0
  iProduct                1 Scale
  iSerial                 0
  bNumConfigurations      1
  Configuration Descriptor:
    bConfigurationValue     1
    iConfiguration          0
    bmAttributes         0x80
    MaxPower              100mA
    Interface Descriptor:
      bInterfaceNumber        0
      bAlternateSetting       0
      bNumEndpoints           0
      bInterfaceClass       255
      bInterfaceSubClass      1
      bInterfaceProtocol      2
      iInterface              0
`,
  );
  const driver = join(folder, "Info.plist");
  writeFileSync(
    driver,
    plist(
      "<key>IOProviderClass</key><string>IOUSBHostInterface</string><key>idVendor</key><integer>4617</integer><key>idProduct</key><integer>7</integer>",
    ),
  );
  const wrong = await run(["match", listing, "--driver", driver]);
  assert.equal(wrong.code, 1);
  assert.match(wrong.printed, /idVendor \+ idProduct is no legal key combination for an IOUSBHostInterface/);
  writeFileSync(
    driver,
    plist(
      "<key>IOProviderClass</key><string>IOUSBHostInterface</string><key>idVendor</key><integer>4617</integer><key>idProduct</key><integer>7</integer><key>bConfigurationValue</key><integer>1</integer><key>bInterfaceNumber</key><integer>0</integer>",
    ),
  );
  const right = await run(["match", listing, "--driver", driver]);
  assert.equal(right.code, 0);
  assert.match(right.printed, /BINDS: org\.example\.driver, personality Mine/);
  assert.match(right.printed, /its entitlements were not given/);
});

test("PCI functions by lspci -x, and a SCSI unit by its INQUIRY data", async () => {
  const lspci = join(folder, "lspci.txt");
  writeFileSync(
    lspci,
    `00:04.0 Non-Volatile memory controller
00: 36 1b 10 00 07 04 10 00 02 02 08 01 00 00 00 00
10: 04 40 85 fe 00 00 00 00 00 00 00 00 00 00 00 00
20: 00 00 00 00 00 00 00 00 00 00 00 00 f4 1a 00 11
30: 00 00 00 00 40 00 00 00 00 00 00 00 0b 01 00 00
`,
  );
  const driver = join(folder, "pci.plist");
  for (const [match, code] of [
    ["0x00101b36", 0],
    ["0x1b360010", 1],
  ] as const) {
    writeFileSync(
      driver,
      plist(
        `<key>IOProviderClass</key><string>IOPCIDevice</string><key>IOPCIMatch</key><string>${match}</string>`,
      ),
    );
    const told = await run(["match", lspci, "--driver", driver]);
    assert.equal(told.code, code, told.printed);
    assert.match(told.printed, code === 0 ? /BINDS/ : /the register is 0x00101b36/);
  }
  const inquiry = new Uint8Array(36);
  inquiry.set([0, 0x80, 6, 2, 31]);
  inquiry.set(new TextEncoder().encode("ACME    Fast Disk       1.0 "), 8);
  const unit = join(folder, "inquiry.bin");
  writeFileSync(unit, inquiry);
  writeFileSync(
    driver,
    plist(
      "<key>IOProviderClass</key><string>IOSCSIPeripheralDeviceNub</string><key>Peripheral Device Type</key><integer>0</integer><key>Vendor Identification</key><string>ACME</string>",
    ),
  );
  const told = await run(["match", unit, "--driver", driver]);
  assert.equal(told.code, 0, told.printed);
  assert.match(told.printed, /Vendor Identification is equal: 10000/);
});

test("registry --against: two dumps of files, a rig against its own dump, and a file without a registry", async () => {
  const rig = rigCatalogue[0].build({ seed: 7, turn: hostTurn, platform: "open" });
  await rig.machine.run(2e9);
  const dump = join(folder, "before.txt");
  writeFileSync(dump, formatRegistryTree(rig.machine.registry.snapshot()));
  const same = await run(["registry", rigCatalogue[0].name, "--seed", "7", "--against", dump]);
  assert.deepEqual([same.code, same.said], [0, ""], same.printed);
  assert.match(same.printed, /0 appeared, 0 left, 0 changed, \d+ the same/);
  rig.unplug(1);
  await rig.machine.run(4e9);
  const gone = join(folder, "after.txt");
  writeFileSync(gone, formatRegistryPlist(rig.machine.registry.snapshot()));
  const less = await run(["registry", gone, "--against", dump]);
  assert.equal(less.code, 1);
  assert.match(less.printed, /^left {6}\S.*<IOUSBHostDevice>$/m);
  assert.doesNotMatch(less.printed, /^appeared/m);
  const nothing = join(folder, "nothing.txt");
  writeFileSync(nothing, "nothing\n");
  const none = await run(["registry", nothing]);
  assert.equal(none.code, 2);
  assert.match(none.said, /has no registry in it; ioreg/);
  assert.equal((await run(["registry", dump, "--pcap", join(folder, "x.pcapng")])).code, 2);
});
