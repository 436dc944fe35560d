// The cross test: every rule on every file, alone, with each file removed in turn, and with all bundles in one folder.

import assert from "node:assert/strict";
import { test } from "node:test";
import { cppGrammar } from "@drydock/node/cpp-grammar";
import { diagnose } from "../diagnose.ts";
import { type Files, sourcesOf } from "../test/rule-check.ts";
import { crashOf, panicOf, plist } from "../test/samples.ts";

/** File -> its content, and the rules whose claims are true of it. Written by hand: what is not listed is false. */
type Truths = Readonly<Record<string, readonly [content: string, rules: readonly string[]]>>;

const row = (text: string) =>
  `2026-11-20 10:00:00.000000+0100 0x1a2b     Default     0x0                  0      0    ${text}\n`;
const dk = "com.apple.developer.driverkit";

const bundles: Readonly<Record<string, Truths>> = {
  "a driver with faults in its lists, and its log": {
    "lamp/Info.plist": [
      plist({
        CFBundleIdentifier: "net.sample.lamp.driver",
        CFBundlePackageType: "DEXT",
        IOKitPersonalities: {
          Lamp: {
            IOClass: "IOUserService",
            IOUserClass: "Lamp",
            IOProviderClass: "IOUSBHostInterface",
            idVendor: "0x1234",
          },
        },
      }),
      ["FX-PLIST"],
    ],
    "lamp/lamp.entitlements": [plist({ [dk]: true, [`${dk}.transport.usb`]: true }), ["FX-ENTITLEMENT"]],
    "lamp/log.txt": [
      row("kernel: Driver net.sample.lamp.driver has crashed 0 time(s)") +
        row("kernel: (net.sample.lamp.driver.dext) lamp: CopyPipe failed 0xe00002f0") +
        row("kernel: DK: Lamp-0x1::start(IOUSBHostInterface-0x2) fail"),
      ["FX-START-FAIL"],
    ],
    "lamp/notes.txt": ["The lamp is green and the cable is new.\n", []],
  },
  "a machine with a kernel extension, and a list that was cut": {
    "mac/Kernel.panic": [
      "panic(cpu 1 caller 0xffffff801d55539d): Kernel trap at 0xffffff801d3edc37, type 14=page fault, registers:\nCR2: 0x0000000000000010\nBacktrace (CPU 1), Frame : Return Address\n0xffffff914cdb28e0 : 0xffffff7fa062f660 \n      Kernel Extensions in backtrace:\n         com.sample.filter(2.0)[11111111-2222-3333-4444-777777777777]@0xffffff7fa062d000->0xffffff7fa0633fff\n\nBSD process name corresponding to current thread: kernel_task\n",
      ["FX-PANIC"],
    ],
    "mac/list.txt": [
      "2 extension(s)\n--- com.apple.system_extension.driver_extension\nzsh: abort      systemextensionsctl list\n",
      ["FX-LIST-CUT"],
    ],
    "mac/watchdog.ips": [
      panicOf("userspace watchdog timeout: no successful checkins from WindowServer in 120 seconds"),
      ["FX-PANIC"],
    ],
  },
  "a program that was killed, and a profile of another product": {
    "app/Tool.crash": [
      "Process:               Tool [3]\nPath:                  /Applications/Tool.app/Contents/MacOS/Tool\nIdentifier:            com.other.tool\n\nException Type:        EXC_CRASH (Code Signature Invalid)\nTermination Reason:    Namespace CODESIGNING, Code 0x1\n\nThread 0 Crashed:\n0   ???   0x000000010bb1a000 _dyld_start + 0\n",
      ["FX-KILLED"],
    ],
    "app/profile.plist": [
      plist({
        Name: "Camera",
        TeamIdentifier: ["ZZ11YY22XX"],
        Entitlements: { "com.apple.application-identifier": "ZZ11YY22XX.org.third.camera" },
      }),
      [],
    ],
    "app/player.entitlements": [
      plist({
        "com.apple.application-identifier": "QW12ER34TY.org.fourth.player",
        "com.apple.developer.system-extension.install": true,
      }),
      [],
    ],
  },
  "USB programs": {
    "usb/hid.txt": [
      "hid_open_path: failed to open IOHIDDevice from mach entry: (0xE00002E2) (iokit/common) not permitted\n",
      ["FX-HID-OPEN"],
    ],
    "usb/libusb.txt": [
      "libusb: info [darwin_claim_interface] USBInterfaceOpen: another process has device opened for exclusive access\n",
      ["FX-HELD"],
    ],
    "usb/dmesg.txt": [
      "[1.000001]: AppleUSB20XHCIPort@14300000: AppleUSBHostPort::disconnect: persistent enumeration failures\n",
      ["FX-ENUMERATE"],
    ],
    "usb/profiler.txt": [
      "system_profiler[9:1] SPUSBDevice: IOCreatePlugInInterfaceForService failed 0xe00002be\n",
      [],
    ],
  },
  "builds and activations": {
    "build/xcode.log": [
      "error: \"Lamp\" requires a provisioning profile. (in target 'Lamp' from project 'Lamp')\n",
      ["FX-NO-PROFILE"],
    ],
    "build/sign.log": ["Lamp.dext: errSecInternalComponent\n", ["FX-CODESIGN"]],
    "build/app.log": ["(OSSystemExtensionErrorDomain error 10.)\n", ["NT-814055"]],
    "build/driver.crash.json": [
      crashOf({
        type: "EXC_BAD_ACCESS",
        subtype: "KERN_INVALID_ADDRESS at 0x0000000000000020",
        frames: ["org.example.sample Pad::Report(int)", "DriverKit OSAction::Run()"],
      }),
      ["FX-CRASH"],
    ],
  },
};

async function rulesOf(
  truths: Truths,
  tables: Truths = truths,
): Promise<{ said: string[]; wanted: string[] }> {
  const files: Files = Object.fromEntries(Object.entries(truths).map(([name, [content]]) => [name, content]));
  const { answers } = await diagnose(sourcesOf(files), { cppGrammar, today: "2026-11-30T00:00:00Z" });
  const said = answers.map(({ rule, because }) => `${because[0].file}: ${rule}`);
  const wanted = Object.keys(truths).flatMap((name) =>
    (tables[name]?.[1] ?? []).map((rule) => `${name}: ${rule}`),
  );
  return { said: [...new Set(said)].sort(), wanted: wanted.sort() };
}

const without = (truths: Truths, name: string): Truths =>
  Object.fromEntries(Object.entries(truths).filter(([other]) => other !== name));

for (const [name, truths] of Object.entries(bundles)) {
  test(`${name}: nothing false, nothing missing, whole and with each file removed`, async () => {
    const whole = await rulesOf(truths);
    assert.deepEqual(whole.said, whole.wanted);
    for (const removed of Object.keys(truths)) {
      const rest = await rulesOf(without(truths, removed));
      assert.deepEqual(rest.said, rest.wanted, `without ${removed}`);
    }
  });
}

test("all bundles in one folder: each file still has its own truths and no others", async () => {
  const all: Truths = Object.assign({}, ...Object.values(bundles));
  const { said, wanted } = await rulesOf(all);
  assert.deepEqual(said, wanted);
});

test("one entry less in the tables is seen", async () => {
  const [truths] = Object.values(bundles);
  const poorer: Truths = { ...truths, "lamp/log.txt": [truths["lamp/log.txt"][0], []] };
  const { said, wanted } = await rulesOf(truths, poorer);
  assert.notDeepEqual(said, wanted);
});
