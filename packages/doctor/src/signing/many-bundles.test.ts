// A package with ten thousand drivers in it: each is one part with its own claims, all belong to one app.

import assert from "node:assert/strict";
import { test } from "node:test";
import { collectEvidence } from "../evidence/collect.ts";
import { sourceOfText } from "../facts/evidence-source.ts";
import { driverLacksEntitlement } from "../rules/signing/driver-lacks-entitlement.ts";
import { plist } from "../test/samples.ts";
import { rehearsePackages } from "./package-rehearsal.ts";
import { evidenceParts } from "./parts.ts";

const drivers = 10_000;
const dk = "com.apple.developer.driverkit";

test(`${drivers} nested bundles: every list finds its bundle, every driver its app`, async () => {
  const app = "Big.app/Contents";
  const sources = [
    sourceOfText(
      `${app}/Info.plist`,
      plist({
        CFBundleIdentifier: "org.example.big",
        CFBundlePackageType: "APPL",
        CFBundleExecutable: "Big",
      }),
    ),
    sourceOfText(
      `${app}/big.entitlements`,
      plist({ "com.apple.developer.system-extension.install": true, [`${dk}.userclient-access`]: ["x"] }),
    ),
  ];
  for (let index = 0; index < drivers; index++) {
    const folder = `${app}/Library/SystemExtensions/d${index}.dext`;
    sources.push(
      sourceOfText(
        `${folder}/Info.plist`,
        plist({
          CFBundleIdentifier: `org.example.big.d${index}`,
          CFBundlePackageType: "DEXT",
          IOKitPersonalities: {
            P: {
              IOClass: "IOUserService",
              IOUserClass: "D",
              IOUserServerName: "s",
              IOProviderClass: "IOUSBHostDevice",
            },
          },
        }),
      ),
      sourceOfText(
        `${folder}/d.entitlements`,
        // One in a thousand lacks what its provider asks for.
        plist({ [dk]: true, ...(index % 1000 === 7 ? {} : { [`${dk}.transport.usb`]: [{ idVendor: 5 }] }) }),
      ),
    );
  }
  const evidence = await collectEvidence(sources, []);
  const parts = evidenceParts(evidence);
  assert.equal(parts.length, drivers + 1);
  for (const { bundleIdentifier, entitlements, folder, role } of parts)
    assert.ok(
      entitlements?.place.file.startsWith(`${folder}/`) === true &&
        (role === "app" || bundleIdentifier.endsWith(folder.replace(/^.*\/(d\d+)\.dext$/, ".$1"))),
      `${bundleIdentifier} in ${folder} with ${entitlements?.place.file}`,
    );
  const packages = rehearsePackages(evidence);
  assert.equal(packages.length, drivers);
  assert.ok(packages.every(({ app: opener }) => opener?.bundleIdentifier === "org.example.big"));
  const places = driverLacksEntitlement
    .judge(evidence)
    .map(({ because }) => because[1].file.replace(/^.*\/d(\d+)\.dext\/.*$/, "$1"));
  assert.deepEqual(
    places,
    Array.from({ length: drivers / 1000 }, (_, index) => String(index * 1000 + 7)),
  );
});
