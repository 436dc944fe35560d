// A process in which one bug is planted: the driver's file is changed as it is loaded, and the tools look at its rig.

import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { readBug } from "./library.ts";

/** What each tool said. The first of `run` is how the undisturbed run ended. */
export interface Sighting {
  readonly outcome: string;
  readonly run: readonly string[];
  readonly explore: readonly string[];
  readonly campaign: readonly string[];
  readonly soak: readonly string[];
}

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const [name, form, rigName] = process.argv.slice(2);

/** How many trials of each tool: evenly spread over all that there are. */
const exploreMost = 24;
const campaignMost = 60;
/** An hour of work, with the cable out and in now and then. */
const soakActions = 600;
const soakPlugEvery = 100;

function spread<T>(all: readonly T[], most: number): readonly T[] {
  const stride = Math.max(1, all.length / most);
  return Array.from({ length: Math.min(most, all.length) }, (_, index) => all[Math.floor(index * stride)]);
}

if (form === "wrong") {
  const bug = readBug(name);
  if (bug.target.kind !== "driver") throw new Error(`${name} is no bug of a driver of ours`);
  const url = pathToFileURL(join(root, bug.target.file)).href;
  const source = readFileSync(join(root, bug.target.file), "utf8");
  if (source.split(bug.fixed).length !== 2)
    throw new Error(`${name}: its fixed form stands not once in ${bug.target.file}`);
  const planted = source.replace(bug.fixed, () => bug.wrong);
  registerHooks({
    load: (loaded, context, next) =>
      loaded === url
        ? { format: "module-typescript", source: planted, shortCircuit: true }
        : next(loaded, context),
  });
}

const { explorables } = await import("@drydock/core/trials/explorables");
const { beginExploration, exploreTrial, runTrial } = await import("@drydock/core/trials/explore");
const { recordWorkload, runWithFaults, singleFaults } = await import("@drydock/core/trials/access-campaign");
const { describeLuckyRead } = await import("@drydock/core/trials/lucky-reads");
const { soak, soakOptions } = await import("@drydock/core/trials/soak");
const { rigCatalogue } = await import("@drydock/core/rigs/catalogue");
const { hostTurn } = await import("@drydock/node/host-turn");

const entry = explorables.find((each) => each.name === rigName);
if (entry === undefined) throw new Error(`there is no rig "${rigName}"`);

const unique = (problems: readonly string[]): string[] => [...new Set(problems)].slice(0, 40);
const failure = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function plainRun(): Promise<Pick<Sighting, "outcome" | "run">> {
  try {
    const { outcome, problems } = await (entry as NonNullable<typeof entry>).run(1, hostTurn, {
      settleNs: 20e6,
    });
    return { outcome, run: problems };
  } catch (error) {
    return { outcome: "the run failed", run: [failure(error)] };
  }
}

async function explored(): Promise<string[]> {
  try {
    const state = await beginExploration(entry as NonNullable<typeof entry>, 1, hostTurn, 0);
    const numbers = Array.from({ length: state.trials }, (_, index) => index + 1);
    const ways = entry?.hasWaysOut ? numbers.slice(-3) : [];
    const problems: string[] = [];
    for (const number of new Set([...spread(numbers, exploreMost), ...ways])) {
      const result = await runTrial(
        entry as NonNullable<typeof entry>,
        1,
        hostTurn,
        exploreTrial(state, number),
      );
      problems.push(...result.problems, ...result.lucky.map((read) => `lucky: ${describeLuckyRead(read)}`));
    }
    return unique(problems);
  } catch (error) {
    return [failure(error)];
  }
}

async function campaigned(): Promise<string[]> {
  try {
    const workload = await recordWorkload(entry as NonNullable<typeof entry>, 1, hostTurn);
    const problems: string[] = [];
    for (const fault of spread(singleFaults(workload), campaignMost))
      problems.push(
        ...(await runWithFaults(entry as NonNullable<typeof entry>, 1, hostTurn, [fault])).problems,
      );
    return unique(problems);
  } catch (error) {
    return [failure(error)];
  }
}

async function soaked(): Promise<string[]> {
  const rig = rigCatalogue.find((each) => each.name === rigName);
  if (rig === undefined) return [];
  try {
    const plan = { seed: 1, hours: 1, perHour: soakActions, plugEvery: soakPlugEvery };
    const { problem } = await soak(soakOptions(rig, plan, hostTurn));
    return problem === null ? [] : [problem];
  } catch (error) {
    return [failure(error)];
  }
}

const plain = await plainRun();
const sighting: Sighting = {
  ...plain,
  explore: await explored(),
  campaign: await campaigned(),
  soak: await soaked(),
};
process.stdout.write(JSON.stringify(sighting));
