// One small, whole file of each kind that a reader takes: what fuzzing begins with.

import { gzipSync } from "node:zlib";
import { refusedRequest } from "./captures.ts";
import { cpioOf, packageOf } from "./installer-packages.ts";
import { captureOf, crashOf, panicOf, plist } from "./samples.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);

const registryText =
  '+-o hba@0  <class IOPCIDevice, id 0x1, registered, matched, active, busy 0 (0 ms), retain 7>\n  {\n    "a" = ({"k"=(1,2)},<00ff>,Yes)\n  }\n';

/** {a: [true]} in eight objects' worth of bytes. */
export const binaryPlistSeed = Uint8Array.from([
  ...utf8("bplist00"),
  ...[0xd1, 1, 2, 0x51, 0x61, 0xa1, 3, 9, 8, 11, 13, 15],
  ...[0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16],
]);

const logText =
  "2025-10-01 12:00:00.001250+0000 0x3e8 Default 0x0 0 0 kernel: (x.dext) DK: A-0x1:UC entitlements check failed\n";

function tarSeed(name: string, text: string): Uint8Array {
  const block = new Uint8Array(1536);
  block.set(utf8(name), 0);
  block.set(utf8(text.length.toString(8).padStart(11, "0")), 124);
  block.set(utf8("0"), 156);
  block.set(utf8("ustar"), 257);
  block.set(utf8(text), 512);
  return block;
}

/** A zip archive with one stored member (APPNOTE 6.3, sections 4.3.7, 4.3.12, 4.3.16). */
function zipSeed(name: string, text: string): Uint8Array {
  const data = utf8(text);
  const label = utf8(name);
  const two = (value: number) => [value & 255, value >> 8];
  const four = (value: number) => [...two(value & 0xffff), ...two(value >>> 16)];
  const common = [
    ...two(0),
    ...two(0),
    ...two(0),
    ...two(0),
    ...four(0),
    ...four(data.length),
    ...four(data.length),
  ];
  const local = [
    ...four(0x04034b50),
    ...two(20),
    ...common,
    ...two(label.length),
    ...two(0),
    ...label,
    ...data,
  ];
  const central = [
    ...[...four(0x02014b50), ...two(20), ...two(20), ...common, ...two(label.length), ...two(0), ...two(0)],
    ...[...two(0), ...two(0), ...four(0), ...four(0), ...label],
  ];
  const end = [
    ...four(0x06054b50),
    ...two(0),
    ...two(0),
    ...two(1),
    ...two(1),
    ...four(central.length),
    ...four(local.length),
    ...two(0),
  ];
  return Uint8Array.from([...local, ...central, ...end]);
}

/** Kind -> file. */
export const seeds: Readonly<Record<string, Uint8Array>> = {
  panic: utf8(panicOf("IOUserService::setPowerState(0x1 : 0x2, 2 -> 0) timed out after 20114 ms")),
  crash: utf8(crashOf({ type: "EXC_BAD_ACCESS", frames: ["DriverKit a", "Sample b"] })),
  "crash as text": utf8(
    "Exception Type: EXC_CRASH (SIGABRT)\nThread 0 Crashed:\n0  DriverKit  0x1000 a + 4\n",
  ),
  registry: utf8(registryText),
  "registry as plist": utf8(
    plist({
      IOObjectClass: "IOService",
      IORegistryEntryID: 4711,
      IORegistryEntryChildren: [{ IOObjectClass: "A", a: [1] }],
    }),
  ),
  extensions: utf8("1 extension(s)\n*\t*\tABCDE12345\torg.example.drv (1/1)\tdrv\t[activated enabled]\n"),
  plist: utf8(plist({ "com.apple.developer.driverkit.transport.usb": [{ idVendor: 1356 }] })),
  "binary plist": binaryPlistSeed,
  capture: captureOf([
    { endpoint: 0, kind: 2, setup: [0x21, 0x20, 0, 0, 0, 0, 7, 0], data: [0, 0, 0, 0, 0, 0, 0], status: -32 },
  ]),
  log: utf8(logText),
  "log as JSON": utf8(
    `${JSON.stringify({ timestamp: "2025-10-01 12:00:00.001250+0000", eventMessage: "DK: A-0x1:UC entitlements check failed", processID: 0, processImagePath: "/kernel" })}\n`,
  ),
  gzip: new Uint8Array(gzipSync(logText)),
  tar: tarSeed("log", logText),
  zip: zipSeed("log", logText),
  "installer package": packageOf({ "a/Info.plist": plist({ CFBundleIdentifier: "a" }), "b.log": logText }),
  cpio: cpioOf({ "a.log": logText }, "newc"),
  ...Object.fromEntries(
    Object.entries(refusedRequest).map(([linkType, bytes]) => [`capture of link type ${linkType}`, bytes]),
  ),
};
