// One run of a dext from the plug to the unplug, and what came of it.

import { ContractViolation } from "@drydock/core/base/errors";
import { IOReturns } from "@drydock/core/base/io-return";
import type { ClientConnection } from "@drydock/core/runtime/client-connection";
import type { Machine, MachineFailure } from "@drydock/core/runtime/machine";
import type { IOService } from "@drydock/core/runtime/service";
import { IOUserClient } from "@drydock/core/runtime/user-client";
import type { DextLedger } from "../host/cxx-process.ts";
import { type DextDescription, type DextOptions, LoadedDext } from "../host/dext-bundle.ts";
import type { DextRig } from "./dext-rig-promise.ts";

/** Builds the rig for a bundle; the same seed builds the same. */
export type MakeRig = (dext: LoadedDext) => DextRig;

export interface DextRunOptions extends DextOptions {
  /** Virtual time with the device in, nanoseconds. */
  readonly settleNs: number;
  /** The step of the scheduler at which the cable is pulled; left out: after `settleNs`. */
  readonly unplugAtStep?: number;
  /** What an application does with the dext meanwhile. */
  readonly use?: (rig: DextRig) => Promise<void>;
  /** Given what the run recorded beside its result. */
  readonly onEnd?: (ledger: DextLedger) => void;
}

export interface DextRunResult {
  /** "started", or why not, for each personality that was judged. */
  readonly outcomes: readonly string[];
  readonly isStarted: boolean;
  /** What is wrong, a line each; empty: nothing. */
  readonly findings: readonly string[];
  readonly leaks: readonly string[];
  /** Objects that are left and no leaks, or may be none, and why they were not counted: a sentence, then one a line. */
  readonly uncounted: readonly string[];
  readonly notes: readonly string[];
  readonly log: readonly string[];
  readonly digest: string;
  readonly steps: number;
  readonly transfers: number;
  readonly failable: number;
  readonly failed: string | null;
  readonly notImplemented: readonly string[];
  /** Whether an application's call was answered with success, or bytes went through a port. */
  readonly wasUsed: boolean;
}

/** Steps that a run may take: a dext that keeps itself busy for ever ends there, and it is said. */
const stepsMaximum = 2_000_000;

/** Never throws for what the dext does. */
export async function runDext(
  description: DextDescription,
  makeRig: MakeRig,
  options: DextRunOptions,
): Promise<DextRunResult> {
  const dext = new LoadedDext(description, options);
  try {
    return await runLoaded(dext, makeRig(dext), options);
  } finally {
    dext.close();
  }
}

async function runLoaded(dext: LoadedDext, rig: DextRig, options: DextRunOptions): Promise<DextRunResult> {
  const { machine } = rig;
  const findings: string[] = [];
  let isOut = false;
  const pull = () => {
    if (isOut) return;
    isOut = true;
    rig.unplug();
  };
  const { watch } = options;
  machine.scheduler.onStep = (step) => {
    if (watch !== undefined) Atomics.add(watch, 1, 1);
    if (step === options.unplugAtStep) pull();
    if (step > stepsMaximum)
      throw new ContractViolation("endless-loop", `the dext is still busy after ${stepsMaximum} steps`);
  };
  const first = await machine.run(options.settleNs);
  if (first.reason === "deadlock")
    for (const { heldBy, thread, waitsFor } of first.waits)
      findings.push(
        `deadlock: ${thread} waits for ${waitsFor}${heldBy === null ? "" : `, held by ${heldBy}`}`,
      );
  const outcomes = outcomesOf(dext, machine);
  let wasUsed = false;
  if (options.use !== undefined && machine.failure === null) {
    const { use } = options;
    const before = machine.crashes.length;
    try {
      await use(rig);
      wasUsed = machine.crashes.length === before && machine.failure === null;
    } catch (error) {
      findings.push(error instanceof Error ? error.message : String(error));
    }
  }
  pull();
  if (machine.failure === null) {
    const last = await machine.run();
    if (last.reason === "deadlock")
      for (const { heldBy, thread, waitsFor } of last.waits)
        findings.push(
          `deadlock after the unplug: ${thread} waits for ${waitsFor}${heldBy === null ? "" : `, held by ${heldBy}`}`,
        );
  }
  const isStarted = outcomes.some((outcome) => outcome.endsWith(": started"));
  const { leaks, uncounted, wrong } = endOfDext(dext, machine, isStarted);
  findings.push(...wrong);
  options.onEnd?.(dext.ledger);
  return {
    outcomes,
    isStarted,
    findings,
    leaks,
    uncounted,
    notes: machine.notes,
    log: machine.log.show({ info: true, debug: true }).map(({ message }) => message),
    digest: rig.digest(),
    steps: machine.scheduler.steps,
    transfers: rig.transfers(),
    failable: dext.ledger.failable,
    failed: dext.ledger.failed,
    notImplemented: dext.ledger.notImplemented,
    wasUsed,
  };
}

export interface DextEnding {
  /** Crashes, broken rules, what is still there, what is not implemented: a line each. */
  readonly wrong: readonly string[];
  readonly leaks: readonly string[];
  readonly uncounted: readonly string[];
}

/** What is left of a dext whose devices are gone, when nothing of it has anything more to run. */
export function endOfDext(dext: LoadedDext, machine: Machine, isStarted: boolean): DextEnding {
  const wrong = [...machine.crashes.map(({ text }) => `crash: ${text}`), ...failureLines(machine.failure)];
  const left = [...machine.registry.entries()].filter(
    ({ process }) => process.bundleIdentifier === dext.bundle.identifier,
  );
  if (machine.failure === null)
    for (const service of left) {
      const isHardware = service.provider?.isInactive === true;
      if (isHardware)
        wrong.push(
          `${service.logName} is still there after the unplug: its Stop never reached the superclass`,
        );
    }
  // Whoever swallowed it, and whatever the driver made of it: nothing that comes behind a call that is not there counts.
  for (const name of dext.ledger.notImplemented)
    if (!wrong.some((finding) => finding.includes(`not implemented: ${name}`)))
      wrong.push(`not implemented: ${name}`);
  wrong.push(...dext.ledger.undefinedBehaviour);
  const isJudged = left.length === 0 && machine.failure === null && machine.crashes.length === 0;
  const { leaks, ofActions } = isJudged
    ? dext.leaksApartFromActions(!isStarted)
    : { leaks: [], ofActions: [] };
  return { wrong, leaks, uncounted: ofActions.length === 0 ? [] : [whyUncounted, ...ofActions] };
}

/** What was judged of a dext's personalities: "FT232R: started". */
export function outcomesOf(dext: LoadedDext, machine: Machine): string[] {
  return machine.matchReports
    .filter(({ candidate }) => candidate.installed.bundle === dext.bundle)
    .map(({ candidate, outcome }) => `${candidate.personalityName}: ${outcome}`);
}

/** A dext whose Start failed is ended at once: a cancelled action, and what it holds, has had no time to go. */
const whyUncounted =
  "actions and what can be reached from them are not counted as leaks, as Start failed and the process was ended: whether a cancel would have given them up is not known:";

function failureLines(failure: MachineFailure | null): string[] {
  if (failure === null) return [];
  return [failure.kind === "panic" ? `panic: ${failure.text}` : failure.text];
}

/** Scalars and bytes that a call is tried with, by what the dext's own table refuses. */
export interface Attempt {
  scalars: number;
  bytes: number;
  outScalars: number;
  outBytes: number;
  hasCompletion: boolean;
}

const selectorsTried = 24;
const correctionsTried = 8;

const nothing: Attempt = { scalars: 0, bytes: 0, outScalars: 0, outBytes: 0, hasCompletion: false };
/** Tried one after the other with a method whose refusals say nothing: a driver that checks by its own hand. */
const shapes: readonly Attempt[] = [
  nothing,
  { ...nothing, scalars: 1, outScalars: 1 },
  { ...nothing, bytes: 8 },
  { ...nothing, outBytes: 4096 },
  { ...nothing, bytes: 64, outBytes: 4096 },
  { ...nothing, scalars: 2, bytes: 64, outScalars: 2, outBytes: 4096 },
];

/**
 * An application that knows nothing of the dext: it opens every service of it that has a user client, and calls selector after
 * selector, with as many scalars and bytes as the refusals say, or in a few usual shapes. Answers how many calls succeeded.
 */
export async function tryUserClients(rig: DextRig, identifier: string): Promise<number> {
  const { machine } = rig;
  const application = machine.launchApplication({
    name: "Probe",
    isAdministrator: true,
    entitlements: { "com.apple.developer.driverkit.userclient-access": [identifier] },
  });
  let succeeded = 0;
  await machine.perform(async () => {
    for (const service of [...machine.registry.entries()]) {
      if (service.process.bundleIdentifier !== identifier || isMadeByDext(service)) continue;
      const client = await machine.openUserClient(application, service).catch(() => null);
      if (client === null) continue;
      for (let selector = 0; selector < selectorsTried && client.isOpen; selector++)
        if (await trySelector(machine, client, selector)) succeeded++;
      client.close();
      await machine.scheduler.sleep(1e6);
    }
  }, application);
  return succeeded;
}

/** Whether a call of the selector was answered with success. */
async function trySelector(machine: Machine, client: ClientConnection, selector: number): Promise<boolean> {
  for (const shape of shapes) {
    const attempt = { ...shape };
    for (let turn = 0; turn < correctionsTried; turn++) {
      const notes = machine.notes.length;
      const { status } = await client.call(selector, {
        scalarInput: new Array<number>(attempt.scalars).fill(1),
        ...(attempt.bytes === 0 ? {} : { structureInput: new Uint8Array(attempt.bytes).fill(1) }),
        scalarOutputCount: attempt.outScalars,
        structureOutputSize: attempt.outBytes,
        ...(attempt.hasCompletion ? { completion: () => {} } : {}),
      });
      if (status === 0) return true;
      // There is no such method, or nobody who could answer any more.
      if (status === IOReturns.kIOReturnUnsupported || !client.isOpen) return false;
      const said = machine.notes.slice(notes).join(" ");
      if (correct(attempt, said)) continue;
      // A table that was satisfied: what refuses now is the method itself, and other shapes fail the table.
      if (turn > 0) return false;
      break;
    }
  }
  return false;
}

/** A client that the dext made for somebody: nothing to open. What the system matched is opened, whatever its class. */
function isMadeByDext(service: IOService): boolean {
  return service instanceof IOUserClient && service.provider?.process === service.process;
}

/** Mends a call by what a dispatch table has said of it. False: the refusal says nothing that could be done better. */
export function correct(attempt: Attempt, said: string): boolean {
  const wanted = (what: string): number | null => {
    const found = new RegExp(`${what} must be (\\d+)`).exec(said);
    return found === null ? null : Number(found[1]);
  };
  const [scalars, bytes, outScalars, outBytes] = [
    wanted("scalar input count"),
    wanted("structure input size"),
    wanted("scalar output count"),
    wanted("structure output size"),
  ];
  if (/needs an async completion/.test(said)) attempt.hasCompletion = true;
  else if (scalars !== null) attempt.scalars = scalars;
  else if (bytes !== null) attempt.bytes = bytes;
  else if (outScalars !== null) attempt.outScalars = outScalars;
  else if (outBytes !== null) attempt.outBytes = outBytes;
  else return false;
  return true;
}
