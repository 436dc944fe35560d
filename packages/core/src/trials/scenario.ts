// The scenario engine: a program on a rig, the cable pulled before any step, and what must never be left behind.

import type { CountedRun } from "../faults/counted-run.ts";
import type { UsbFaultPlan } from "../faults/usb-faults.ts";
import type { Machine } from "../runtime/machine.ts";
import type { HostTurn } from "../runtime/scheduler.ts";
import type { IOService } from "../runtime/service.ts";

/** How a driver is made to let go while its device stays: its provider ends, it crashes, the system goes to sleep. */
export const waysOut = ["stop", "crash", "sleep"] as const;
export type WayOut = (typeof waysOut)[number];

/** What happens to the cable, and to the driver, and when. */
export interface ScenarioPlan {
  /** Pull the cable before this step of the scheduler; 0 or absent: never. */
  readonly unplugAtStep?: number;
  /** Put it in again so many steps later, or when nothing more happens; 0 or absent: never. */
  readonly replugAfterSteps?: number;
  /** At the end of the program, before the cable leaves. */
  readonly wayOut?: WayOut;
  /** How long the cable stays in after the program, so that what is late arrives: virtual nanoseconds. Default 0. */
  readonly settleNs?: number;
}

/** What every scenario is told, whatever its rig. */
export interface ScenarioOptions extends ScenarioPlan {
  readonly seed: number;
  readonly turn: HostTurn;
  readonly faults?: UsbFaultPlan;
  /** Counts every access of the run, and strikes those that it names. */
  readonly access?: CountedRun;
}

/** A campaign takes the digest and no more; a run that is looked at has every row. */
export const recordFor = ({ access }: Pick<ScenarioOptions, "access">): "all" | "wire" =>
  access?.isShown === true ? "all" : "wire";

/** The part of a scenario's options that is no option of its rig, apart from the rest. */
export function splitPlan<T extends ScenarioPlan>(
  options: T,
): { readonly plan: ScenarioPlan; readonly rest: Omit<T, keyof ScenarioPlan> } {
  const { unplugAtStep = 0, replugAfterSteps = 0, settleNs = 0, wayOut, ...rest } = options;
  const plan = { unplugAtStep, replugAfterSteps, settleNs, ...(wayOut === undefined ? {} : { wayOut }) };
  return { plan, rest };
}

export interface ScenarioResult<Outcome extends string = string> {
  /** Everything observable, as one number. */
  readonly digest: string;
  readonly steps: number;
  /** What the program saw, in a word or two. */
  readonly outcome: Outcome;
  /** Broken rules, panics, crashes, leaks, hangs: empty for a good driver. */
  readonly problems: readonly string[];
}

/**
 * One scenario. With the cable pulled at a step, or faults on the bus, less of it succeeds; but it must always end, and
 * end clean. A campaign is a table of these.
 */
export interface ScenarioProgram<Rig extends { readonly machine: Machine }, Outcome extends string> {
  readonly rig: Rig;
  /** Steps that no good driver needs. */
  readonly stepLimit: number;
  /** Registry entries with such a class in their chain must be gone with the cable. */
  readonly mustLeave: RegExp;
  /** Plays up to the unplug; adds what it saw go wrong to `problems`. */
  play(problems: string[]): Promise<Outcome>;
  /** Faults are at work: what devices say of their driver may be their doing. */
  readonly isDisturbed?: boolean;
  /** Pulls the cable; harmless when it was pulled before. */
  unplug(): void;
  /** Puts it in again; for plans that do. */
  replug?(): void;
  /** What the driver brings up is there. */
  isUp?(): boolean;
  /** Makes the driver let go; for plans with a way out. */
  leave?(way: WayOut): void;
  digest(): string;
  /** Looks at what the program alone knows, once all has ended without a panic. */
  afterwards?(problems: string[]): void;
}

/** How long a driver may take to come up again, and to let go: virtual nanoseconds. */
const comeUpNs = 60e9;
const letGoNs = 100e6;
const crashText = "made to crash";
/** How a problem begins that a device has told of its driver. Of a run with faults it says nothing: the device saw them, too. */
export const misuseMark = "the device says: ";

/** Plays one scenario to its clean end. */
export async function runScenario<Outcome extends string>(
  program: ScenarioProgram<{ readonly machine: Machine }, Outcome>,
  plan: ScenarioPlan,
): Promise<ScenarioResult<Outcome>> {
  const { scheduler } = program.rig.machine;
  const { unplugAtStep = 0, replugAfterSteps = 0, settleNs = 0, wayOut } = plan;
  const problems: string[] = [];
  const replugAtStep = replugAfterSteps > 0 ? unplugAtStep + replugAfterSteps : 0;
  let isReplugged = false;
  // Named first, as Machine's handlers are, and for their reason.
  const onStep = (step: number) => {
    if (step === unplugAtStep) program.unplug();
    if (step === replugAtStep && !isReplugged) {
      isReplugged = true;
      program.replug?.();
    }
    if (step > program.stepLimit && !scheduler.isStopped) {
      problems.push(`still running after ${program.stepLimit} steps`);
      scheduler.stop();
    }
  };
  scheduler.onStep = onStep;
  const outcome = await program.play(problems);
  if (settleNs > 0 && !scheduler.isStopped) await scheduler.run(scheduler.nowNs() + settleNs);
  if (replugAtStep > 0 && !scheduler.isStopped) {
    if (!isReplugged) program.replug?.();
    isReplugged = true;
    const isUp = () => program.isUp?.() ?? true;
    await scheduler.run(scheduler.nowNs() + comeUpNs, isUp);
    if (!isUp() && !scheduler.isStopped) problems.push("it did not come up again");
  }
  if (wayOut !== undefined && !scheduler.isStopped) {
    program.leave?.(wayOut);
    await scheduler.run(scheduler.nowNs() + letGoNs);
  }
  problems.push(...(await problemsAfterUnplug(program)));
  const { failure, misuses } = program.rig.machine;
  if (failure === null && program.isDisturbed !== true)
    problems.push(...misuses.map((text) => `${misuseMark}${text}`));
  return { digest: program.digest(), steps: scheduler.steps, outcome, problems };
}

/** Makes the dext that drives `provider` let go of it: what a program's `leave` does. False: nobody drives it. */
export function makeLeave(machine: Machine, provider: IOService, way: WayOut): boolean {
  const driver = provider.clients.find(({ process }) => process.kind === "dext");
  if (driver === undefined) return false;
  if (way === "stop") machine.terminate(driver);
  else if (way === "sleep") machine.setSystemPower("sleep");
  else
    driver.process.spawn("crash", () => {
      throw new Error(crashText);
    });
  return true;
}

/** Pulls the cable, lets everything end, and looks for what must not be left: waits, panics, crashes, registry entries. */
export async function problemsAfterUnplug(
  program: Pick<
    ScenarioProgram<{ readonly machine: Machine }, string>,
    "rig" | "unplug" | "mustLeave" | "afterwards"
  >,
): Promise<string[]> {
  const { machine } = program.rig;
  const problems: string[] = [];
  program.unplug();
  const end = await machine.run();
  if (end.reason === "deadlock") {
    for (const wait of end.waits) problems.push(`${wait.thread} waits for ${wait.waitsFor} for ever`);
  }
  const { failure } = machine;
  if (failure !== null) {
    const rule = failure.kind === "violation" ? `${failure.rule}: ` : "";
    problems.push(`${failure.kind}: ${rule}${failure.text}`);
  } else if (end.reason !== "stopped") {
    for (const crash of machine.crashes)
      if (!crash.text.includes(crashText))
        problems.push(
          `${crash.process} crashed: ${crash.text}${crash.thrownAt === null ? "" : ` at ${crash.thrownAt}`}`,
        );
    for (const entry of machine.registry.entries()) {
      if (entry.classChain.some((name) => program.mustLeave.test(name)))
        problems.push(`${entry.path} is still there after the unplug`);
    }
    program.afterwards?.(problems);
  }
  return problems;
}

export interface UnplugCampaign {
  /** Steps of the undisturbed run: as many runs are made, or every `stride`th. */
  readonly steps: number;
  readonly explored: number;
  /** How often each outcome occurred. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Steps at which something went wrong, with what. */
  readonly failures: readonly { readonly step: number; readonly problems: readonly string[] }[];
}

/** posts.md F01: the scenario once to count its steps, then once per step with the cable pulled there. */
export async function unplugAtEveryStep(
  run: (unplugAtStep: number) => Promise<ScenarioResult>,
  stride = 1,
): Promise<UnplugCampaign> {
  const { steps } = await run(0);
  const outcomes: Record<string, number> = {};
  const failures: { step: number; problems: readonly string[] }[] = [];
  let explored = 0;
  for (let step = 1; step <= steps; step += stride) {
    const result = await run(step);
    explored++;
    outcomes[result.outcome] = (outcomes[result.outcome] ?? 0) + 1;
    if (result.problems.length > 0) failures.push({ step, problems: result.problems });
  }
  return { steps, explored, outcomes, failures };
}
