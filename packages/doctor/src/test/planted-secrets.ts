// Eleven kinds of files with thirty secrets in each, unlike each other: what a redaction has to find.

import { panicOf } from "./samples.ts";

const eachFile = 30;
const utf8 = new TextEncoder();

const letter = (n: number) => String.fromCharCode(65 + (n % 26));
const hex = (n: number, digits: number) => (n % 16 ** digits).toString(16).padStart(digits, "0");
/** Unlike each other in every kind, so that none hides another. */
const make = {
  team: (n: number) => `${letter(n)}${letter(n * 3)}7${letter(n * 5)}Q${(n % 90) + 10}${letter(n * 7)}4Z`,
  mail: (n: number) => `p${n}.muster@mail${n % 7}.example`,
  name: (n: number) => `Petra${letter(n)}${letter(n / 26)} Muster${n}`,
  user: (n: number) => `pmuster${n}`,
  host: (n: number) => `desk-of-petra${n}`,
  serial: (n: number) => `C02${letter(n)}${letter(n * 3)}${1000 + n}XY`,
  device: (n: number) => `00008103-${hex(0xa1110000 + n * 77, 8)}${hex(0x2222333a + n, 8)}`.toUpperCase(),
  mac: (n: number) => `a4:83:e7:${hex(n, 2)}:${hex(n * 7, 2)}:${hex(n * 13 + 16, 2)}`,
  ipv4: (n: number) => `192.168.${n % 200}.${(n * 3) % 250}`,
  ipv6: (n: number) => `fe80::1c2d:${hex(n + 4096, 4)}:${hex(n * 7 + 256, 3)}:1`,
  path: (n: number) => `/private/work/customer${n}/Build%20Area/x.dext`,
} as const;
type Kind = keyof typeof make;

export interface Planted {
  readonly secrets: readonly string[];
  readonly bytes: Uint8Array;
}

let count = 0;
/** Thirty secrets of these kinds in turn, each in the line that `line` makes of it. */
function text(
  kinds: readonly Kind[],
  line: (kind: Kind, secret: string, n: number) => string,
  frame = (s: string) => s,
): Planted {
  const rows = Array.from({ length: eachFile }, (_, index) => {
    const kind = kinds[index % kinds.length];
    const secret = make[kind](++count);
    return { secret, text: line(kind, secret, index) };
  });
  return {
    secrets: rows.map(({ secret }) => secret),
    bytes: utf8.encode(frame(rows.map((row) => row.text).join("\n"))),
  };
}

const row = (message: string) =>
  `2026-11-20 10:00:00.000000+0100 0x1a2b     Default     0x0                  0      0    ${message}`;

/** Each call plants thirty more. */
export const plantedFiles: Readonly<Record<string, () => Planted>> = {
  "a log": () =>
    text(["team", "user", "ipv4", "ipv6", "mac", "path"], (kind, secret) =>
      row(
        {
          team: `amfid: client team=${secret}, driver team=`,
          user: `kernel: AMFI: /Users/${secret}/Applications/Pad.app/Contents/MacOS/Pad not valid`,
          ipv4: `configd: en0 address ${secret} is up`,
          ipv6: `configd: en0 inet6 ${secret}%en0 is up`,
          mac: `kernel: en0: ether ${secret}`,
          path: `sysextd: file://${secret} was staged`,
        }[kind as "team"],
      ),
    ),
  "a log in syslog's style": () =>
    text(
      ["host"],
      (_kind, secret) => `2026-11-20 10:00:00.000000+0100  ${secret} kernel[0]: (pad.dext) hello`,
    ),
  "a panic report": () =>
    text(
      ["device", "serial", "host"],
      (kind, secret) =>
        ({
          device: `"crashReporterKey" : "${secret}",`,
          serial: `"serialNumber" : "${secret}",`,
          host: `"hostName" : "${secret}",`,
        })[kind as "device"],
      (lines) => `${panicOf("userspace watchdog timeout")}{\n${lines}\n"x" : 1}\n`,
    ),
  "a crash report": () =>
    text(["user", "device"], (kind, secret) =>
      kind === "user"
        ? `Path:  /Users/${secret}/Library/Developer/Xcode/DerivedData/Pad/Pad`
        : `CrashReporter Key:   ${secret}`,
    ),
  "a registry dump": () =>
    text(["serial", "mac"], (kind, secret) =>
      kind === "serial"
        ? `  | |   "USB Serial Number" = "${secret}"`
        : `  | |   "IOMACAddress" = <${secret.replaceAll(":", "")}> ${secret}`,
    ),
  "a list of extensions": () =>
    text(
      ["team"],
      (_kind, secret, n) => `*\t*\t${secret}\tnet.sample.pad${n} (1.0/1)\tPad\t[activated enabled]`,
      (lines) => `30 extension(s)\n--- com.apple.system_extension.driver_extension\n${lines}\n`,
    ),
  "entitlements and a decoded profile": () =>
    text(
      ["team", "name"],
      (kind, secret) =>
        kind === "team"
          ? `<key>com.apple.application-identifier</key><string>${secret}.net.sample.pad</string>`
          : `<key>TeamName</key><string>${secret}</string>`,
      (lines) => `<?xml version="1.0"?>\n<plist version="1.0"><dict>\n${lines}\n</dict></plist>\n`,
    ),
  "what codesign printed": () =>
    text(
      ["name", "team", "path"],
      (kind, secret) =>
        ({
          name: `Authority=Developer ID Application: ${secret} (QQ11WW22EE)`,
          team: `designated => anchor apple generic and certificate leaf[subject.OU] = "${secret}"`,
          path: `Executable=file://${secret}`,
        })[kind as "name"],
    ),
  "a mail": () =>
    text(
      ["name", "mail", "user"],
      (kind, secret, n) =>
        ({
          name: `From: ${secret} <someone${n}@list.example>`,
          mail: `You can reach me at ${secret}, thanks.`,
          user: `-rw-r--r--  1 ${secret}  staff  1234 Nov 20 10:00 pad.log`,
        })[kind as "name"],
    ),
  "source from Xcode": () =>
    text(["name", "user"], (kind, secret) =>
      kind === "name"
        ? `//  Created by ${secret} on 20.11.2026.`
        : `#include "/Users/${secret}/src/pad/pad.h"`,
    ),
  "a terminal": () =>
    text(
      ["user", "host", "ipv4", "serial"],
      (kind, secret) =>
        ({
          user: `${secret}@build-box ~ % ls -l /dev/cu.usbmodem1101`,
          host: `someone@${secret} ~ % ioreg -l -w0`,
          ipv4: `scp pad.log ${secret}:22/tmp`,
          serial: `ls: /dev/cu.usbserial-${secret}: No such file`,
        })[kind as "user"],
    ),
};
