// The serial rig under every seed: faults, unplug at every step, and what a run must never do.

import { Random } from "../base/random.ts";
import { type UsbFaultPlan, type UsbFaultRule, usbFaultKinds } from "../faults/usb-faults.ts";
import { defaultSerialRig, type SerialDeviceKind, type SerialRigOptions } from "../rigs/serial-rig.ts";
import { SerialSession } from "../rigs/serial-session.ts";
import type { HostTurn } from "../runtime/scheduler.ts";

export interface ScenarioOptions {
  readonly seed: number;
  readonly turn: HostTurn;
  readonly device: SerialDeviceKind;
  readonly faults?: UsbFaultPlan;
  /** Pull the cable before this step of the scheduler; 0 never. */
  readonly unplugAtStep?: number;
  readonly bundles?: SerialRigOptions["bundles"];
  /** See UsbRigOptions. */
  readonly path?: "bus" | "usbip";
}

export interface ScenarioResult {
  /** Everything observable, as one number. */
  readonly digest: string;
  readonly steps: number;
  /** What the program at the port saw, in one word. */
  readonly outcome: "echoed" | "hung up" | "silent" | "no port";
  /** Broken rules, panics, crashes, leaks, hangs: empty for a good driver. */
  readonly problems: readonly string[];
}

/** Bytes of the scenario, and how long it may take in virtual time. */
const messageBytes = 120;
const patienceNs = 3_000_000_000;
/** A run that takes more steps than this hangs. */
const stepLimit = 200_000;

/**
 * Plug in, come up, open, set the line, send, read it back, close, unplug, end. With the cable pulled at a step, or
 * faults on the bus, less of it succeeds; but it must always end, and end clean.
 */
export async function runSerialScenario(options: ScenarioOptions): Promise<ScenarioResult> {
  const rig = defaultSerialRig(options.seed, options.turn, {
    devices: [options.device],
    ...(options.faults === undefined ? {} : { faults: options.faults }),
    ...(options.bundles === undefined ? {} : { bundles: options.bundles }),
    ...(options.path === undefined ? {} : { path: options.path }),
  });
  const { machine } = rig;
  const { scheduler } = machine;
  const problems: string[] = [];
  let isHanging = false;
  scheduler.onStep = (step) => {
    if (step === options.unplugAtStep) rig.bus.unplug(1);
    if (step > stepLimit && !isHanging) {
      isHanging = true;
      problems.push(`still running after ${stepLimit} steps`);
      scheduler.stop();
    }
  };
  let session: SerialSession | null = null;
  await scheduler.run(patienceNs, () => rig.ports.length > 0);
  const [port] = rig.ports;
  let outcome: ScenarioResult["outcome"] = "no port";
  if (port !== undefined && scheduler.isStopped === false) {
    try {
      session = new SerialSession(port);
    } catch {
      session = null;
    }
  }
  if (session !== null) {
    const open = session;
    open.configure({ baudRate: 115200 });
    open.send(new Uint8Array(messageBytes).map((_, index) => index));
    await scheduler.run(patienceNs, () => open.received.length >= messageBytes || open.hangUps > 0);
    const isEcho =
      open.received.length === messageBytes && open.received.every((byte, index) => byte === index);
    outcome = open.hangUps > 0 ? "hung up" : isEcho ? "echoed" : "silent";
    if (open.hangUps > 1) problems.push(`hung up ${open.hangUps} times`);
    open.port.close();
    await scheduler.run(scheduler.nowNs() + 50_000_000);
  }
  rig.bus.unplug(1);
  const end = await machine.run();
  if (end.reason === "deadlock") {
    for (const wait of end.waits) problems.push(`${wait.thread} waits for ${wait.waitsFor} for ever`);
  }
  if (machine.failure !== null) {
    const rule = machine.failure.kind === "violation" ? `${machine.failure.rule}: ` : "";
    problems.push(`${machine.failure.kind}: ${rule}${machine.failure.text}`);
  } else if (end.reason !== "stopped") {
    for (const crash of machine.crashes) problems.push(`${crash.process} crashed: ${crash.text}`);
    for (const entry of machine.registry.entries()) {
      if (entry.classChain.some((name) => name.startsWith("IOUSBHost") || name === "IOUserSerial")) {
        problems.push(`${entry.path} is still there after the unplug`);
      }
    }
  }
  return { digest: rig.digest(), steps: scheduler.steps, outcome, problems };
}

/** One to three rules drawn from a seed: any kind, any place, any time. */
export function drawFaultPlan(seed: number): UsbFaultPlan {
  const random = new Random(seed).fork("fault plan");
  const rules = Array.from({ length: random.between(1, 3) }, (): UsbFaultRule => {
    const kind = usbFaultKinds[random.below(usbFaultKinds.length)];
    if (kind === "disconnect" && random.chance(0.5)) return { kind, atNs: random.below(400_000_000) };
    const place = random.below(4);
    return {
      kind,
      ...(place === 0
        ? { endpoint: 0 }
        : place === 1
          ? { endpoint: 0x81 }
          : place === 2
            ? { endpoint: 0x02 }
            : {}),
      ...(random.chance(0.5) ? { nth: random.between(1, 30) } : { probability: random.below(20) / 100 }),
      ...(kind === "delay" ? { delayNs: random.below(50_000_000) } : {}),
    };
  });
  return { rules };
}

export interface UnplugCampaign {
  /** Steps of the undisturbed run: as many runs are made. */
  readonly steps: number;
  readonly explored: number;
  /** How often each outcome occurred. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Steps at which something went wrong, with what. */
  readonly failures: readonly { readonly step: number; readonly problems: readonly string[] }[];
}

/** posts.md F01: the scenario once to count its steps, then once per step with the cable pulled there. */
export async function unplugAtEveryStep(
  options: Omit<ScenarioOptions, "unplugAtStep">,
  stride = 1,
): Promise<UnplugCampaign> {
  const undisturbed = await runSerialScenario(options);
  const outcomes: Record<string, number> = {};
  const failures: { step: number; problems: readonly string[] }[] = [];
  let explored = 0;
  for (let step = 1; step <= undisturbed.steps; step += stride) {
    const result = await runSerialScenario({ ...options, unplugAtStep: step });
    explored++;
    outcomes[result.outcome] = (outcomes[result.outcome] ?? 0) + 1;
    if (result.problems.length > 0) failures.push({ step, problems: result.problems });
  }
  return { steps: undisturbed.steps, explored, outcomes, failures };
}
