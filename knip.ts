// What `npm run check` calls unused: exports nobody imports, but for the doors of each package (house/doors.json).

import { readFileSync } from "node:fs";

const doors = JSON.parse(readFileSync(new URL("house/doors.json", import.meta.url), "utf8")) as Record<
  string,
  string[]
>;
const folders: Readonly<Record<string, string>> = {
  "@drydock/core": "packages/core/src",
  "@drydock/doctor": "packages/doctor/src",
  "@drydock/node": "packages/node/src/*",
  "@drydock/serialport-binding": "packages/serialport-binding/src",
  "@drydock/fixtures": "packages/fixtures/src",
  "@drydock/dext": "packages/dext/src",
};
/** A door's exports are for people outside; whether somebody inside uses them says nothing. */
const ignoreIssues = Object.fromEntries(
  Object.entries(doors).flatMap(([name, paths]) =>
    paths.map((path) => [`${folders[name]}/${path}.ts`, ["exports", "types"]]),
  ),
);

const sources = {
  entry: ["src/**/*.ts", "test/**/*.ts"],
  project: ["src/**/*.ts", "test/**/*.ts"],
  includeEntryExports: true,
};

export default {
  workspaces: {
    ".": {
      entry: [
        "house/*.ts",
        "house/*.mjs",
        "house/mutants/worker.ts",

        "house/seeded/probe.ts",
        "house/test/system/*.test.ts",
      ],
      project: ["house/**/*.{ts,mjs}"],
      includeEntryExports: true,
    },
    "packages/*": sources,
    "apps/cli": {
      entry: [
        "src/main.ts",
        "src/mcp-reader.ts",
        "bin/*.d.mts",
        "src/**/*.test.ts",
        "test/**/*.test.ts",
        "test/system/browser-rig.ts",
        "test/system/web-usb-page.ts",
      ],
    },
    "apps/board": {
      entry: ["src/*.test.ts", "src/page-scripts/*.ts", "test/*.ts", "test/system/*.test.ts"],
    },
    "apps/lab": {
      entry: ["src/**/*.test.ts", "src/page/lab.ts", "src/page/lab-worker.ts", "src/page/lab-case-worker.ts"],
    },
    cases: { entry: ["*/case.test.ts"] },
    perf: {
      entry: [
        "*.ts",
        "endurance/run.ts",
        "endurance/journal-client.ts",
        "endurance/*.rig.ts",
        "test/system/*.test.ts",
      ],
    },
    examples: { entry: ["*.ts", "doors/*.ts"] },
  },
  ignoreIssues: {
    ...ignoreIssues,
    // Node's test runner asks for these by their paths.
    "house/coverage-page.mjs": ["exports"],
    "house/test-loading.mjs": ["exports"],
    "house/test-record.mjs": ["exports"],
  },
  // TypeScript 5, vite and vitest are installed in a stranger's project (house/test/system); the printer's is reached by path.
  ignoreDependencies: [
    "@biomejs/biome",
    "typescript-5",
    "vite",
    "vitest",
    "@point-of-sale/webusb-receipt-printer",
  ],
  ignoreBinaries: [
    "script",
    "diff",
    "setpriv",
    "tshark",
    "ldd",
    "qemu-system-x86_64",
    "socat",
    "passt",
    "nsenter",
    "unshare",
    "usbip",
    "cc",
    "fio",
    "nbdinfo",
    "nbdcopy",
    "mkfifo",
    "taskset",
    "chrt",
    "usbguard-rule-parser",
    "openssl",
    "iscsi-inq",
    "qemu-img",
    "mount",
    "umount",
    "iscsi-ls",
    "iscsi-readcapacity16",
  ],
  ignoreExportsUsedInFile: true,
};
