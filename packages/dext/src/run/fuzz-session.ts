// One machine that is fed until the feed ends or the dext does: what was wrong, as a run would tell it.

import type { Properties } from "@drydock/core/platform/properties";
import type { ClientConnection } from "@drydock/core/runtime/client-connection";
import type { Process } from "@drydock/core/runtime/process";
import type { HostTurn } from "@drydock/core/runtime/scheduler";
import { type DextDescription, type DextOptions, LoadedDext } from "../host/dext-bundle.ts";
import { askedRig } from "./dext-rig.ts";
import type { DextRig } from "./dext-rig-promise.ts";
import { endOfDext, outcomesOf, tryUserClients } from "./dext-run.ts";
import type { FuzzAnswer, FuzzCall, FuzzFeed, FuzzInput } from "./fuzz-input.ts";
import { FuzzedDevice } from "./fuzzed-device.ts";
import { useSerialPorts } from "./serial-use.ts";

/** Where inputs come from. `fed` is told of each that was given, when what it led to at once is over; `said` is what the system noted meanwhile. */
export interface Feed {
  next(): FuzzInput | null;
  fed(input: FuzzInput, dext: LoadedDext, said: string): void;
}

export interface FuzzSession {
  readonly description: DextDescription;
  readonly feed: FuzzFeed;
  readonly seed: number;
  readonly turn: HostTurn;
  readonly load?: DextOptions;
}

export interface SessionEnd {
  readonly isStarted: boolean;
  /** Open user clients that calls could go to. */
  readonly clients: number;
  readonly findings: readonly string[];
}

const settleNs = 1e9;
/** Virtual time that a call may take: one that waits for a device that says nothing is no fault. */
const callPatienceNs = 2e9;
/** So that what a call has begun goes on. */
const breathEvery = 16;
const breathNs = 1e6;
const drainNs = 2e9;
const clientsMost = 4;

export async function runSession(session: FuzzSession, feed: Feed): Promise<SessionEnd> {
  const dext = new LoadedDext(session.description, session.load);
  try {
    return await feedDext(session, feed, dext);
  } finally {
    dext.close();
  }
}

async function feedDext(session: FuzzSession, feed: Feed, dext: LoadedDext): Promise<SessionEnd> {
  let last: FuzzAnswer | null = null;
  const hasDied = (): boolean => rig.machine.crashes.length > 0 || rig.machine.failure !== null;
  const answer = (): FuzzAnswer | null => {
    if (last !== null) feed.fed(last, dext, "");
    // A dext that has died is started again by the system: what it would do then is not asked.
    last = hasDied() ? null : (feed.next() as FuzzAnswer | null);
    return last;
  };
  const rig = askedRig(dext.bundle, {
    seed: session.seed,
    turn: session.turn,
    ...(session.feed === "answers"
      ? { makeDevice: (asked: Properties) => new FuzzedDevice(asked, answer) }
      : {}),
  });
  const { machine } = rig;
  const { watch } = session.load ?? {};
  if (watch !== undefined) machine.scheduler.onStep = () => void Atomics.add(watch, 1, 1);
  const hasStarted = (): boolean =>
    outcomesOf(dext, machine).some((outcome) => outcome.endsWith(": started"));
  // A driver that reads without a pause would take all answers before anybody uses it.
  const isOver = session.feed === "answers" ? () => hasDied() || hasStarted() : hasDied;
  await machine.scheduler.run(settleNs, isOver);
  const isStarted = hasStarted();
  let clients = 0;
  if (isStarted && !hasDied()) {
    if (session.feed === "calls") clients = await feedCalls(rig, dext, feed);
    else await useAll(rig, dext);
  }
  const findings: string[] = [];
  if (!hasDied()) {
    rig.unplug();
    const end = await machine.run();
    if (end.reason === "deadlock")
      for (const { heldBy, thread, waitsFor } of end.waits)
        findings.push(
          `deadlock after the unplug: ${thread} waits for ${waitsFor}${heldBy === null ? "" : `, held by ${heldBy}`}`,
        );
  }
  const { leaks, wrong } = endOfDext(dext, machine, isStarted);
  findings.push(...wrong, ...leaks.map((leak) => `leak: ${leak}`));
  return { isStarted, clients, findings };
}

/** What an application does while the device answers as it likes. */
async function useAll(rig: DextRig, dext: LoadedDext): Promise<void> {
  const { machine } = rig;
  try {
    await tryUserClients(rig, dext.bundle.identifier);
    await useSerialPorts(rig);
  } catch {
    // An application's call that does not come back, from a device that does not answer, is no fault of the driver's.
  }
  if (machine.failure === null) await machine.run(machine.scheduler.nowNs() + drainNs);
}

async function feedCalls(rig: DextRig, dext: LoadedDext, feed: Feed): Promise<number> {
  const { machine } = rig;
  const { scheduler } = machine;
  const { identifier } = dext.bundle;
  const application = machine.launchApplication({
    name: "Fuzzer",
    isAdministrator: true,
    entitlements: { "com.apple.developer.driverkit.userclient-access": [identifier] },
  });
  const clients = await openClients(rig, identifier, application);
  if (clients.length === 0) return 0;
  const crashes = machine.crashes.length;
  let count = 0;
  let isDone = false;
  // One thread makes all calls in one run of the scheduler: a run for each would cost a turn of the host's loop each.
  application.spawn("fuzz", async () => {
    for (let input = feed.next(); input !== null; input = feed.next()) {
      const call = input as FuzzCall;
      const notes = machine.notes.length;
      await clients[call.client % clients.length].call(call.selector, {
        scalarInput: call.scalars,
        ...(call.bytes.length === 0 ? {} : { structureInput: call.bytes }),
        scalarOutputCount: call.outScalars,
        structureOutputSize: call.outBytes,
        ...(call.isAsync ? { completion: () => {} } : {}),
      });
      if (++count % breathEvery === 0) await scheduler.sleep(breathNs);
      feed.fed(call, dext, machine.notes.slice(notes).join(" "));
      if (machine.crashes.length > crashes) break;
    }
    isDone = true;
  });
  for (let before = -1; !isDone && machine.failure === null && count > before; ) {
    before = count;
    await scheduler.run(scheduler.nowNs() + callPatienceNs, () => isDone);
  }
  for (const client of clients) if (machine.failure === null && client.isOpen) client.close();
  return clients.length;
}

async function openClients(
  rig: DextRig,
  identifier: string,
  application: Process,
): Promise<ClientConnection[]> {
  const { machine } = rig;
  const clients: ClientConnection[] = [];
  let isDone = false;
  application.spawn("open", async () => {
    for (const service of [...machine.registry.entries()]) {
      if (service.process.bundleIdentifier !== identifier || clients.length === clientsMost) continue;
      const client = await machine.openUserClient(application, service).catch(() => null);
      if (client !== null) clients.push(client);
    }
    isDone = true;
  });
  await machine.scheduler.run(machine.scheduler.nowNs() + callPatienceNs, () => isDone);
  return clients;
}
