// What is packed, in a stranger's project: two compilers, two Nodes, two test runners, a bundler, require().

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { makeStranger, nodeOf, packFolder, repositoryRoot, type Stranger } from "./stranger.ts";

/** A device, its driver, their tests, and ten lines that serve the device over USB/IP: through doors only. */
const authored = ["logger-device.ts", "logger-driver.ts", "logger.test.ts", "logger-usbip.ts"];
const example = (name: string) => readFileSync(join(repositoryRoot, "examples", name), "utf8");
const tsconfig = (more: object = {}) =>
  JSON.stringify({
    compilerOptions: {
      target: "ES2022",
      module: "nodenext",
      strict: true,
      noEmit: true,
      allowImportingTsExtensions: true,
      types: ["node"],
      ...more,
    },
    include: ["logger*.ts"],
  });

let stranger: Stranger;
const missingUsbip =
  spawnSync("usbip", ["version"]).error === undefined ? false : "Debian package usbip is missing";
const noNode24 = nodeOf(24) === null ? "npm installed no Node 24 for this machine" : false;

before(() => {
  const packed = spawnSync(process.execPath, ["house/pack.ts", "--check"], {
    cwd: repositoryRoot,
    encoding: "utf8",
    timeout: 300_000,
  });
  assert.equal(packed.status, 0, packed.stderr);
  stranger = makeStranger(
    [
      "core",
      "doctor",
      "board",
      "node",
      "serialport-binding",
      "fixtures",
      "dext",
      "cases",
      "lab",
      "board-server",
      "cli",
    ],
    ["playwright-core", "typescript", "typescript-5", "@types/node", "vitest", "vite", "esbuild"],
  );
  for (const name of authored) stranger.write(name, example(name));
  stranger.write("logger.spec.ts", example("logger.test.ts").replace('"node:test"', '"vitest"'));
  stranger.write("npm-usb.spec.mjs", example("npm-usb.test.mjs").replace('"node:test"', '"vitest"'));
  stranger.write("vitest.config.ts", `export default { test: { include: ["*.spec.{ts,mjs}"] } };\n`);
});

after(() => stranger?.remove());

test("archives: doors only, README, licence, no test, no TypeScript; a source folder refuses to be packed", () => {
  const archives = readdirSync(packFolder).filter((name) => name.endsWith(".tgz"));
  assert.equal(archives.length, 11, archives.join());
  for (const archive of archives) {
    const { stdout } = spawnSync("tar", ["tzf", join(packFolder, archive)], { encoding: "utf8" });
    const files = stdout.trim().split("\n");
    for (const wanted of ["README.md", "LICENSE", "CHANGELOG.md", "package.json"])
      assert.ok(files.includes(`package/${wanted}`), `${archive} has ${wanted}`);
    assert.deepEqual(
      files.filter((file) => /\.test\.|(?<!\.d)\.ts$/.test(file) && !file.includes("/templates/")),
      [],
      archive,
    );
  }
  const doors = JSON.parse(readFileSync(join(repositoryRoot, "house/doors.json"), "utf8")) as Record<
    string,
    string[]
  >;
  const { exports, sideEffects } = JSON.parse(readFileSync(join(packFolder, "core/package.json"), "utf8"));
  assert.equal(sideEffects, false);
  for (const door of doors["@drydock/core"]) assert.ok(exports[`./${door}`] !== undefined, door);
  const refused = spawnSync("npm", ["pack", "--dry-run"], {
    cwd: join(repositoryRoot, "packages/core"),
    encoding: "utf8",
  });
  assert.notEqual(refused.status, 0);
  assert.match(refused.stderr, /npm run pack/);
});

for (const [name, compiler] of [
  ["TypeScript 5.9", "typescript-5/bin/tsc"],
  ["TypeScript 7", "typescript/bin/tsc"],
] as const) {
  for (const more of [{}, { noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true }]) {
    test(`${name} compiles it, strict and nodenext, with ${JSON.stringify(more)}`, () => {
      stranger.write("tsconfig.json", tsconfig(more));
      const run = stranger.run(process.execPath, [join("node_modules", compiler), "-p", "."]);
      assert.equal(run.stdout, "");
      assert.equal(run.status, 0);
    });
  }
}

const noChromium = existsSync("/usr/bin/chromium") ? false : "Debian package chromium is missing";

test("fixtures in a stranger's Playwright project: a page's serial port, unplugged; npm usb in node:test", {
  skip: noChromium,
}, () => {
  for (const name of ["page-serial.test.mjs", "npm-usb.test.mjs"]) stranger.write(name, example(name));
  const run = stranger.run(process.execPath, ["--test", "page-serial.test.mjs", "npm-usb.test.mjs"]);
  assert.equal(run.status, 0, run.stdout + run.stderr);
  assert.match(run.stdout, /pass 2/);
});

for (const major of [24, 26] as const) {
  const node = nodeOf(major) ?? "";
  const skip = major === 24 ? noNode24 : false;
  test(`Node ${major}: node:test, Vitest, require(), and a door that has moved`, { skip }, () => {
    const own = stranger.run(node, ["--test", "logger.test.ts"]);
    assert.equal(own.status, 0, own.stdout);
    assert.match(own.stdout, /pass 3/);
    assert.doesNotMatch(own.stdout + own.stderr, /ExperimentalWarning/);
    const vitest = stranger.run(node, ["node_modules/vitest/vitest.mjs", "run"], { CI: "1", NO_COLOR: "1" });
    assert.equal(vitest.status, 0, vitest.stdout + vitest.stderr);
    assert.match(vitest.stdout, /Tests\s+4 passed/);
    stranger.write(
      "program.cjs",
      `const { UsbRig } = require("@drydock/core/rigs/usb-rig");
const { platformProfile } = require("@drydock/core/runtime/platform-profile");
console.log(typeof UsbRig, platformProfile("macos15").name);\n`,
    );
    const required = stranger.run(node, ["program.cjs"]);
    assert.equal(required.stdout, "function macOS 15\n");
    assert.match(
      required.stderr,
      /DeprecationWarning: "@drydock\/core\/runtime\/platform-profile" has moved: import "@drydock\/core\/platform\/platform-profile"/,
    );
    assert.doesNotMatch(required.stderr, /ExperimentalWarning/);
    const inside = stranger.run(node, ["-e", `import("@drydock/core/runtime/thread")`]);
    assert.match(inside.stderr, /ERR_PACKAGE_PATH_NOT_EXPORTED/);
  });
}

test("the stranger's ten lines serve his device: Debian's usbip finds it", {
  skip: missingUsbip,
}, async () => {
  const server = spawn(process.execPath, ["logger-usbip.ts", "0"], {
    cwd: stranger.folder,
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const [line] = (await once(server.stdout, "data")) as [Buffer];
    const [, port] = /--tcp-port (\d+)/.exec(line.toString()) ?? [];
    const listed = spawnSync("usbip", ["--tcp-port", String(port), "list", "-r", "127.0.0.1"], {
      encoding: "utf8",
      timeout: 20_000,
    });
    assert.match(listed.stdout + listed.stderr, /1-1: .*\(1209:0d01\)/);
  } finally {
    server.kill("SIGKILL");
  }
});

/** The stranger's own command, as npm put it there. */
const drydock = (words: readonly string[], node = process.execPath) =>
  stranger.run(node, ["node_modules/@drydock/cli/bin/drydock.mjs", ...words]);

for (const major of [24, 26] as const) {
  const node = nodeOf(major) ?? "";
  test(`Node ${major}: the command does from archives what it does here`, {
    skip: major === 24 ? noNode24 : false,
  }, () => {
    const version = drydock(["--version"], node);
    assert.equal(version.stdout, "0.1.0\n", version.stderr);
    const shownCase = drydock(["case", "P02"], node);
    const here = spawnSync(process.execPath, ["apps/cli/bin/drydock.mjs", "case", "P02"], {
      cwd: repositoryRoot,
      encoding: "utf8",
    });
    assert.equal(shownCase.stdout, here.stdout);
    assert.equal(shownCase.status, here.status);
    assert.equal(drydock(["check-transport", "sim"], node).status, 0);
    assert.doesNotMatch(version.stderr + shownCase.stderr, /Warning/);
  });
}

test("drydock mcp from archives: what is piped in is answered, also what is refused", () => {
  const call = (id: number, name: string, given: object) => ({
    ...{ jsonrpc: "2.0", id, method: "tools/call" },
    params: { name, arguments: given },
  });
  const lines = [
    {
      ...{ jsonrpc: "2.0", id: 1, method: "initialize" },
      params: {
        protocolVersion: "2025-06-18",
        capabilities: {},
        clientInfo: { name: "a pipe", version: "1.0.0" },
      },
    },
    { jsonrpc: "2.0", method: "notifications/initialized" },
    call(2, "explain", { word: "0xe00002e2" }),
    call(3, "diagnose", { path: ["/etc/passwd"] }),
  ];
  const command = join(stranger.folder, "node_modules/@drydock/cli/bin/drydock.mjs");
  const run = spawnSync(process.execPath, [command, "mcp"], {
    cwd: stranger.folder,
    encoding: "utf8",
    input: lines.map((line) => `${JSON.stringify(line)}\n`).join(""),
    timeout: 60_000,
  });
  assert.equal(run.status, 0, run.stderr);
  const answers = new Map(
    run.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { id: number; result: { isError?: boolean; content?: unknown } })
      .map(({ id, result }) => [id, result]),
  );
  assert.deepEqual([...answers.keys()].sort(), [1, 2, 3]);
  assert.match(JSON.stringify(answers.get(2)), /kIOReturnNotPermitted/);
  assert.equal(answers.get(3)?.isError, true);
});

const noClang = existsSync("/usr/bin/clang++") ? false : "Debian package clang is missing";

test("a dext's C++ in a stranger's project: by the command, and by the doors of @drydock/dext", {
  skip: noClang,
}, () => {
  const dext = join(repositoryRoot, "packages/dext/test/dexts/loop");
  for (const name of readdirSync(dext))
    stranger.write(`loop/${name}`, readFileSync(join(dext, name), "utf8"));
  const run = drydock(["dext", "run", "loop"]);
  assert.equal(run.status, 0, run.stdout + run.stderr);
  assert.match(run.stderr, /Loop: started/);
  stranger.write(
    "dext.mjs",
    `import { compileDext } from "@drydock/dext/run/compile-dext";
import { askedRig } from "@drydock/dext/run/dext-rig";
import { runDext } from "@drydock/dext/run/dext-run";
const turn = () => new Promise((resolve) => setTimeout(resolve, 0));
const dext = await compileDext(["loop"]);
const result = await runDext(dext, ({ bundle }) => askedRig(bundle, { seed: 1, turn }), { settleNs: 1e9 });
console.log(result.isStarted, result.findings.length, result.leaks.length);\n`,
  );
  const own = stranger.run(process.execPath, ["dext.mjs"]);
  assert.equal(own.stdout, "true 0 0\n", own.stderr);
});

test("a rig of the stranger's: a planted lifetime fault is found by explore and shown again by its line", () => {
  const rig = (driverClass: string) => `import { ownUsbRig } from "@drydock/core/rigs/own-rig";
import { Logger } from "./logger-device.ts";
import { LoggerDriver, loggerBundle } from "./logger-driver.ts";
class Clings extends LoggerDriver {
  override async stop(): Promise<void> {}
}
const bundle = { ...loggerBundle, classes: { LoggerDriver: ${driverClass} } };
export default ownUsbRig({ name: "logger", summary: "a logger", devices: [{ name: "a logger", make: () => new Logger() }], bundles: [bundle] });
`;
  stranger.write("good.rig.ts", rig("LoggerDriver"));
  stranger.write("bad.rig.ts", rig("Clings"));
  const good = drydock(["explore", "./good.rig.ts"]);
  assert.equal(good.status, 0, good.stdout + good.stderr);
  const bad = drydock(["explore", "./bad.rig.ts"]);
  assert.equal(bad.status, 1, bad.stdout + bad.stderr);
  const [, again] = /^again: drydock (.*)$/m.exec(bad.stdout) ?? [];
  assert.match(again ?? bad.stdout, /^explore \.\/bad\.rig\.ts --seed 1 --at \d+$/);
  const replayed = drydock(again.split(" "));
  assert.equal(replayed.status, 1);
  assert.match(replayed.stdout, /is still there after the unplug/);
});

test("what a rig file throws is said at its own line; a file that is no rig says what it must be", () => {
  stranger.write("throws.rig.cjs", `const rig = {};\nrig.device.name = "x";\nmodule.exports = rig;\n`);
  const thrown = drydock(["registry", "./throws.rig.cjs"]);
  assert.equal(thrown.status, 3);
  assert.match(thrown.stderr, /throws\.rig\.cjs:2:\d+: TypeError/);
  assert.doesNotMatch(thrown.stderr, /fault of drydock/);
  stranger.write("empty.rig.js", "export const nothing = 1;\n");
  const empty = drydock(["explore", "./empty.rig.js"]);
  assert.equal(empty.status, 2);
  assert.match(empty.stderr, /default export must be ownUsbRig/);
  assert.equal(drydock(["registry", "./no.rig.ts"]).status, 2);
});

for (const [bus, file, right, wrong] of [
  ["usb", "my-usb-driver.ts", "await super.stop(provider);", ""],
  ["hid", "my-hid-driver.ts", "if (length >= 1)", "if (length > 1)"],
  // The page goes while the device may still write to it: only the ways out show that.
  [
    "pci",
    "my-pci-driver.ts",
    "if (pci !== null) {",
    "this.#mapping?.completeDMA(0);\n    if (pci !== null) {",
  ],
  // A frame that ends on a full packet then waits for the next one.
  ["network", "my-network-driver.ts", "return length % this.packetBytes === 0;", "return length < 0;"],
] as const) {
  test(`drydock new driver --bus ${bus}: its tests pass at once, and fail when the driver is broken`, () => {
    const made = drydock(["new", "driver", `my-${bus}`, "--bus", bus]);
    assert.equal(made.status, 0, made.stderr);
    const project = (path: string) => `my-${bus}/${path}`;
    // Without the command it needs its own archives and what these need; a machine's cache may have none of that.
    stranger.run("npm", ["pkg", "delete", "devDependencies", "--prefix", project("")]);
    const installed = stranger.run("npm", [
      "install",
      "--prefix",
      project(""),
      "--omit=dev",
      "--prefer-offline",
      "--no-audit",
      "--no-fund",
    ]);
    if (installed.status !== 0) assert.fail(installed.stderr);
    const testIt = () => stranger.run(process.execPath, ["--test", project(`my-${bus}.test.ts`)]);
    const passed = testIt();
    assert.equal(passed.status, 0, passed.stdout + passed.stderr);
    assert.match(passed.stdout, /pass 3/);
    const source = stranger.read(project(file));
    assert.ok(source.includes(right));
    stranger.write(project(file), source.replace(right, wrong));
    assert.notEqual(testIt().status, 0);
    assert.equal(drydock(["new", "driver", `my-${bus}`, "--bus", bus]).status, 2);
  });
}

test("drydock new driver --from descriptors: the model has them byte for byte, and its tests pass at once", () => {
  const descriptors = Buffer.from(
    "12010002ff00004083044057100200000001" +
      "09022000010100c0320904000002ff000000070581024000000705020310000a",
    "hex",
  );
  stranger.write("descriptors.txt", "");
  writeFileSync(join(stranger.folder, "descriptors.bin"), descriptors);
  const words = ["new", "driver", "from-bytes", "--bus", "usb", "--from"];
  const made = drydock([...words, "descriptors.bin"]);
  assert.equal(made.status, 0, made.stderr);
  const passed = stranger.run(process.execPath, ["--test", "from-bytes/from-bytes.test.ts"]);
  assert.equal(passed.status, 0, passed.stdout + passed.stderr);
  const broken = stranger.read("from-bytes/from-bytes-driver.ts").replace("await super.stop(provider);", "");
  stranger.write("from-bytes/from-bytes-driver.ts", broken);
  assert.notEqual(stranger.run(process.execPath, ["--test", "from-bytes/from-bytes.test.ts"]).status, 0);
  const refused = drydock(["new", "driver", "from-text", "--bus", "usb", "--from", "descriptors.txt"]);
  assert.equal(refused.status, 2);
  assert.match(refused.stderr, /lsusb -v/);
});

test("esbuild bundles core for a page, and leaves out what is not used", () => {
  stranger.write(
    "page.ts",
    `import { LoopbackDevice } from "@drydock/core/devices/loopback/loopback-device";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import { UsbRig } from "@drydock/core/rigs/usb-rig";
const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 0));
const rig = new UsbRig({ seed: 1, turn, profile: platformProfile("macos15") });
rig.bus.plugIn(new LoopbackDevice());
rig.run(1e9).then(() => console.log(rig.machine.registry.byClass("IOUSBHostDevice").length));\n`,
  );
  stranger.write(
    "nothing.ts",
    `import { UsbRig } from "@drydock/core/rigs/usb-rig";\nexport const one = 1;\n`,
  );
  const bundle = (name: string) => {
    const run = stranger.run(process.execPath, [
      "node_modules/esbuild/bin/esbuild",
      `${name}.ts`,
      "--bundle",
      "--minify",
      "--format=iife",
      "--platform=browser",
      `--outfile=${name}.js`,
    ]);
    assert.equal(run.status, 0, run.stderr);
    return stranger.read(`${name}.js`);
  };
  bundle("page");
  // The same script, in a world without Node's modules.
  const run = stranger.run(process.execPath, [
    "-e",
    `require("node:vm").runInNewContext(require("node:fs").readFileSync("page.js", "utf8"), { console, setTimeout, TextEncoder, TextDecoder })`,
  ]);
  assert.equal(run.stdout, "1\n", run.stderr);
  assert.ok(bundle("nothing").length < 200, "an import that is not used leaves nothing behind");
});
