// driverkit-core.md §4 and §11.6: who is started, told, stopped and relaunched, in which order.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { IOReturns } from "../base/io-return.ts";
import { platformProfile } from "../platform/platform-profile.ts";
import { Machine } from "./machine.ts";
import { IOService } from "./service.ts";
import { QuietDriver, resourceBundle, startDriver, testBundleIdentifier } from "./test/resource-driver.ts";
import { IOUserClient } from "./user-client.ts";

const second = 1e9;

function newMachine(seed = 1): Machine {
  return new Machine({ seed, turn: hostTurn, profile: platformProfile("macos15") });
}

/** A nub of hardware that can leave. */
function publishNub(machine: Machine): IOService {
  const nub = machine.publish({ kernelClass: "TestNub" }, (context) => new IOService(context));
  nub.registerService();
  return nub;
}

const onNub = { IOProviderClass: "TestNub", IOResourceMatch: "" };

test("init, start, register, stop, free: in this order, and stop only after the nub has gone inactive", async () => {
  const seen: string[] = [];
  class Diary extends IOService {
    override init(): boolean {
      seen.push("init");
      return super.init();
    }
    override async start(provider: IOService): Promise<void> {
      await super.start(provider);
      seen.push(`start on ${provider.className}`);
      this.registerService();
      seen.push(`registered ${this.isRegistered}`);
    }
    override async stop(provider: IOService): Promise<void> {
      seen.push(`stop, inactive ${provider.isInactive}`);
      await super.stop(provider);
    }
    override free(): void {
      seen.push("free");
    }
  }
  const machine = newMachine();
  machine.install(resourceBundle(Diary, onNub));
  const nub = publishNub(machine);
  await machine.run();
  const [service] = machine.registry.byClass("Diary");
  assert.equal(service.isRegistered, true);
  assert.equal(service.provider, nub);
  assert.equal(nub.getBusyState(), 0);
  const { process } = service;
  machine.terminate(nub);
  machine.terminate(nub);
  await machine.run();
  assert.deepEqual(seen, [
    "init",
    "start on TestNub",
    // RegisterService is deferred until Start has returned (§4.4).
    "registered false",
    "stop, inactive true",
    "free",
  ]);
  assert.equal(process.isAlive, false);
  assert.equal(machine.registry.byClass("TestNub").length, 0);
});

test("a driver that never calls super's Stop keeps its provider for ever (§4.3: there is no timeout)", async () => {
  class Stubborn extends QuietDriver {
    override async stop(): Promise<void> {}
  }
  const machine = newMachine();
  machine.install(resourceBundle(Stubborn, onNub));
  const nub = publishNub(machine);
  await machine.run();
  machine.terminate(nub);
  await machine.run(machine.scheduler.nowNs() + 3600 * second);
  const [service] = machine.registry.byClass("Stubborn");
  assert.equal(service.isInactive, true);
  assert.equal(machine.registry.byClass("TestNub")[0], nub);
  assert.equal(machine.failure, null);
});

test("init false, a Start that rejects, and an unknown class each leave the nub to the next personality", async () => {
  class Refuses extends IOService {
    override async start(): Promise<void> {
      throw this.failure(IOReturns.kIOReturnNoDevice, "start");
    }
  }
  class NoInit extends IOService {
    override init(): boolean {
      return false;
    }
  }
  const machine = newMachine();
  const one = (name: string, cls: typeof IOService, score: number) => ({
    ...resourceBundle(cls, { ...onNub, IOMatchCategory: "shared", IOProbeScore: score }),
    identifier: `org.drydock.test.${name}`,
  });
  machine.install(one("refuses", Refuses, 30));
  machine.install(one("noinit", NoInit, 20));
  machine.install({ ...one("absent", QuietDriver, 10), classes: {} });
  machine.install(one("quiet", QuietDriver, 1));
  machine.install(one("beaten", QuietDriver, 0));
  publishNub(machine);
  await machine.run();
  assert.equal(machine.registry.byClass("QuietDriver").length, 1);
  const outcomes = machine.matchReports
    .filter((report) => report.nub.endsWith("TestNub"))
    .map((report) => report.outcome);
  assert.equal(outcomes.length, 5);
  assert.match(outcomes[0], /0xe00002c0|kIOReturnNoDevice/);
  assert.deepEqual(outcomes.slice(1), [
    "NoInit::init returned false",
    "the bundle has no class QuietDriver",
    "started",
    "category shared has a driver with a better score",
  ]);
});

test("a crash: evidence, the provider is matched again, and the driver comes back with a new process", async () => {
  let crashes = 2;
  class Crashing extends QuietDriver {
    override async start(provider: IOService): Promise<void> {
      await super.start(provider);
      if (crashes-- > 0) this.process.memory.loadByte(0x10 as never);
    }
  }
  const { machine, service } = await startDriver(Crashing);
  assert.equal(machine.crashes.length, 2);
  assert.equal(service.process.isAlive, true);
  assert.equal(service.provider?.properties.IORematchCount, 2);
  assert.equal(new Set(machine.crashes.map((crash) => crash.evidence[0].text)).size, 2);
  assert.match(machine.crashes[0].text, /bad read at 0x10: unmapped/);
});

test("a driver that always crashes is given up after a thousand relaunches, not never", async () => {
  class AlwaysCrashing extends IOService {
    override async start(): Promise<void> {
      throw new Error("boom");
    }
  }
  const { machine } = await startDriver(AlwaysCrashing);
  assert.equal(machine.crashes.length, 1001);
  assert.match(machine.matchReports.at(-1)?.outcome ?? "", /relaunched more than 1000 times/);
  assert.equal(machine.failure, null);
});

test("F24: the crash report's two forms hold the same facts, as JSON and as text", async () => {
  class Crashing extends IOService {
    override async start(): Promise<void> {
      const { memory } = this.process;
      const block = memory.allocate(16, "descriptor");
      memory.read(block, 17);
    }
  }
  const machine = newMachine();
  machine.install(resourceBundle(Crashing));
  await machine.scheduler.run(second, () => machine.crashes.length > 0);
  const [{ evidence }] = machine.crashes;
  const [json, text] = evidence;
  const [header, ...rest] = json.text.split("\n");
  assert.deepEqual([JSON.parse(header).bug_type, JSON.parse(header).bundleID], ["309", testBundleIdentifier]);
  const body = JSON.parse(rest.join("\n"));
  assert.equal(body.exception.type, "EXC_BAD_ACCESS");
  assert.equal(body.exception.signal, "SIGSEGV");
  assert.match(body.exception.subtype, /^KERN_INVALID_ADDRESS at 0x[0-9a-f]{16}$/);
  const frames = body.threads[body.faultingThread].frames as { symbol: string; imageIndex: number }[];
  assert.ok(frames.some((frame) => frame.symbol === "Crashing::Start_Impl"));
  assert.ok(frames.every((frame) => body.usedImages[frame.imageIndex] !== undefined));
  assert.match(text.text, /^Process: +org\.drydock\.test\.driver \[\d+\]$/m);
  assert.match(text.text, /^Exception Type: +EXC_BAD_ACCESS \(SIGSEGV\)$/m);
  assert.ok(text.text.includes(body.exception.subtype));
  assert.match(text.text, /Crashing::Start_Impl/);
});

test("a user client: created, called, its arguments checked, closed; the driver's end takes it along", async () => {
  class Serving extends QuietDriver {
    override async newUserClient(): Promise<IOUserClient> {
      return this.create(this, "UserClientProperties") as IOUserClient;
    }
  }
  class ServingClient extends IOUserClient {
    override externalMethod(
      ...[selector, args]: Parameters<IOUserClient["externalMethod"]>
    ): Promise<number> {
      const any = 0xffffffff;
      const row = {
        function: () => {
          args.structureOutput = (args.structureInput ?? new Uint8Array(0)).slice().reverse();
          return IOReturns.kIOReturnSuccess;
        },
        checkCompletionExists: false,
        checkScalarInputCount: selector === 0 ? 0 : 2,
        checkStructureInputSize: any,
        checkScalarOutputCount: 0,
        checkStructureOutputSize: any,
      };
      return super.externalMethod(selector, args, selector < 2 ? row : null);
    }
  }
  const { machine, service } = await startDriver(Serving, {
    profile: platformProfile("open"),
    personality: { UserClientProperties: { IOClass: "IOUserUserClient", IOUserClass: "ServingClient" } },
    classes: { ServingClient },
  });
  const app = machine.launchApplication({ name: "Tool" });
  const results = await machine.perform(async () => {
    const connection = await machine.openUserClient(app, service);
    const call = async (selector: number, given: Parameters<typeof connection.call>[1]) =>
      await connection.call(selector, given);
    const good = await call(0, { structureInput: Uint8Array.of(1, 2, 3), structureOutputSize: 8 });
    const large = await call(0, { structureInput: new Uint8Array(5000), structureOutputSize: 10 });
    const codes = [
      (await call(1, {})).status,
      (await call(2, {})).status,
      (await call(0, { scalarInput: new Array(17).fill(0) })).status,
      (await call(0, { structureInput: Uint8Array.of(1, 2, 3), structureOutputSize: 2 })).status,
      (await call(0, { completion: () => {} })).status,
    ];
    connection.close();
    codes.push((await call(0, {})).status);
    return { good, large, codes };
  }, app);
  assert.deepEqual([...results.good.structureOutput], [3, 2, 1]);
  assert.equal(results.large.status, 0);
  assert.deepEqual(results.codes, [
    IOReturns.kIOReturnBadArgument,
    IOReturns.kIOReturnUnsupported,
    IOReturns.kIOReturnBadArgument,
    IOReturns.kIOReturnBadArgument,
    IOReturns.kIOReturnBadArgument,
    IOReturns.kIOReturnNotOpen,
  ]);
  assert.match(machine.notes.join("\n"), /scalar input count must be 2, the call gives 0/);
  await machine.run();
  assert.equal(machine.registry.byClass("ServingClient").length, 0);
});

test("an application's call is answered with MIG_SERVER_DIED when the driver dies under it", async () => {
  class Dying extends QuietDriver {
    override async newUserClient(): Promise<IOUserClient> {
      await this.kernel.scheduler.sleep(1000);
      throw new Error("gone");
    }
  }
  const { machine, service } = await startDriver(Dying, { profile: platformProfile("open") });
  const app = machine.launchApplication({ name: "Tool" });
  await assert.rejects(
    machine.perform(() => machine.openUserClient(app, service), app),
    { code: IOReturns.MIG_SERVER_DIED },
  );
});

test("properties: own ones merge on top, searches climb, removal of nothing is kIOReturnNotFound", async () => {
  const { service } = await startDriver(QuietDriver);
  assert.equal(service.searchProperty("IOClass"), "IOUserService");
  service.setProperties({ own: 1 });
  service.setProperties({ other: "two" });
  assert.deepEqual([service.copyProperties().own, service.copyProperties().other], [1, "two"]);
  service.removeProperty("own");
  assert.throws(() => service.searchProperty("own", 1), { code: IOReturns.kIOReturnNotFound });
  const fresh = await startDriver(QuietDriver);
  assert.throws(() => fresh.service.removeProperty("own"), { code: IOReturns.kIOReturnNotFound });
  assert.deepEqual(service.copyProviderProperties(["IOClass"])[0], {
    IOClass: ["IOUserService", "IOService"],
  });
});
