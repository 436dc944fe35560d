// A small USB dext of our own in C++, compiled and run against the model of an FTDI chip.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, test } from "node:test";
import { promisify } from "node:util";
import { IOReturns } from "@drydock/core/base/io-return";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import { SerialRig } from "@drydock/core/rigs/serial-rig";
import { hostTurn } from "@drydock/node/host-turn";
import { type DextOptions, LoadedDext } from "../../src/host/dext-bundle.ts";
import { compileDext } from "../../src/run/compile-dext.ts";
import { askedRig } from "../../src/run/dext-rig.ts";
import { tryUserClients } from "../../src/run/dext-run.ts";
import { tryDext } from "../../src/run/dext-trials.ts";

let described: Awaited<ReturnType<typeof compileDext>>;
before(async () => {
  described = await compileDext([join(import.meta.dirname, "../dexts/loop")]);
});

function loopRig(seed = 1, options: DextOptions = {}) {
  const dext = new LoadedDext(described, { tracesObjects: true, ...options });
  const rig = new SerialRig({
    seed,
    turn: hostTurn,
    profile: platformProfile("open"),
    bundles: [dext.bundle],
    devices: ["ftdi"],
  });
  return { dext, rig };
}

test("it matches, starts, and answers an application with the structures of the C side", async () => {
  const { dext, rig } = loopRig();
  const { machine } = rig;
  await machine.run(1e9);
  assert.deepEqual(
    machine.matchReports.map(({ outcome }) => outcome),
    ["started"],
  );
  const application = machine.launchApplication({ name: "LoopApp" });
  const service = [...machine.registry.entries()].find((entry) => entry.className === "LoopDriver");
  assert.ok(service);
  const result = await machine.perform(async () => {
    const client = await machine.openUserClient(application, service);
    const wrote = await client.call(0, { structureInput: new TextEncoder().encode("dry dock") });
    await machine.scheduler.sleep(50e6);
    const counted = await client.call(1, { scalarOutputCount: 1 });
    const read = await client.call(2, { structureOutputSize: 64 });
    const large = await client.call(0, { structureInput: new Uint8Array(5000).fill(0x55) });
    const refused = await client.call(1, {});
    const unknown = await client.call(9, {});
    const heard: number[][] = [];
    await client.call(3, { scalarInput: [1, 41], completion: (_status, data) => heard.push([...data]) });
    await machine.scheduler.sleep(1e6);
    client.close();
    return { wrote, counted, read, large, refused, unknown, heard };
  }, application);
  assert.equal(result.wrote.status, 0);
  assert.deepEqual(result.counted.scalarOutput, [8]);
  assert.equal(new TextDecoder().decode(result.read.structureOutput), "dry dock");
  assert.equal(result.large.status, 0);
  assert.equal(result.refused.status, IOReturns.kIOReturnBadArgument);
  assert.equal(result.unknown.status, IOReturns.kIOReturnUnsupported);
  assert.deepEqual(result.heard, [[2, 42]]);
  assert.deepEqual([machine.failure, machine.crashes], [null, []]);
  rig.usb.bus.unplug(1);
  await machine.run();
  assert.deepEqual([machine.failure, machine.crashes], [null, []]);
  assert.deepEqual(dext.describeLeaks(), []);
});

test("whatever host call fails, and at whatever step the cable is pulled, nothing crashes, hangs or stays behind", async () => {
  const report = await tryDext(described, ({ bundle }) => askedRig(bundle, { seed: 5, turn: hostTurn }), {
    settleNs: 2e8,
    most: 40,
    use: async (rig) => void (await tryUserClients(rig, "org.drydock.test.loop")),
  });
  assert.deepEqual(report.findings, []);
  assert.ok(report.isRepeatable);
  assert.ok(report.plain.isStarted && report.plain.wasUsed);
  assert.ok(report.failedCalls >= 20 && report.unplugs === 40, `${report.failedCalls} calls failed`);
});

const node24 = join(import.meta.dirname, "../../../../node_modules/node-24/bin/node");
const seeds = 12;

test("twelve seeds: twelve schedules, the same on Node 24 and 26", {
  skip: existsSync(node24) ? false : "the optional package node-24 is not installed (Linux on x64 only)",
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), "drydock-dext-"));
  try {
    const module = join(folder, "loop.wasm");
    writeFileSync(module, described.image.bytes);
    const main = join(import.meta.dirname, "digest-main.ts");
    const said: string[] = [];
    for (const node of [process.execPath, node24])
      said.push((await promisify(execFile)(node, [main, module, "1", String(seeds)])).stdout);
    assert.equal(said[0], said[1]);
    assert.equal(said[0].split(" ")[1], String(seeds));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
