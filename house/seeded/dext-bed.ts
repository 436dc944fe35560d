// The dext that holds the seeded bugs of C++: one module with both forms of each, and what the tools say of one.

import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Properties } from "@drydock/core/platform/properties";
import type { DextDescription } from "@drydock/dext/host/dext-bundle";
import { compileDext } from "@drydock/dext/run/compile-dext";
import { askedRig } from "@drydock/dext/run/dext-rig";
import { type MakeRig, runDext, tryUserClients } from "@drydock/dext/run/dext-run";
import { tryDext } from "@drydock/dext/run/dext-trials";
import { fuzzDext } from "@drydock/dext/run/fuzz-search";
import { hostTurn } from "@drydock/node/host-turn";
import type { SeededBug } from "./library.ts";

export type Form = "wrong" | "fixed";

/** What each tool said of one form. */
export interface DextSighting {
  readonly run: readonly string[];
  readonly test: readonly string[];
  readonly fuzz: readonly string[];
}

const bed = join(import.meta.dirname, "dext");
const settleNs = 3e8;
/** Calls that fail and steps at which the cable is pulled, each. */
const trialsMost = 75;
/** For the calls of the user client, and for the answers of the device. */
const fuzzInputs = 5000;

/** C++ of one form: what both share, with its lines where the page marks the place. */
export function formOf({ code, fixed, wrong }: SeededBug, form: Form): string {
  return code.replace(/^\/\/ HERE$/m, () => (form === "wrong" ? wrong : fixed));
}

/** One form in a namespace of its own, with its entry of the table. Lines count from the form's first one. */
function seedText(bug: SeededBug, form: Form, number: number): string {
  const text = formOf(bug, form);
  const own = (name: string) =>
    new RegExp(`^static \\S+ ${name}\\(Bed &`, "m").test(text) ? name : "nullptr";
  const bytes = /^struct State\b/m.test(text) ? "sizeof(State)" : "1";
  return `namespace form${number} {
#line 1 "${bug.name}.cpp"
${text}
#line 1 "Seeds.cpp"
static const Seed kSeed = { "${bug.name}/${form}", ${bytes}, ${own("Begin")}, ${own("Call")}, ${own("Packet")}, ${own("End")} };
}
`;
}

/** Writes the sources into `folder`, and compiles them with both sanitizers and coverage. Throws as `compileDext` does. */
export async function buildBed(bugs: readonly SeededBug[], folder: string): Promise<DextDescription> {
  mkdirSync(folder, { recursive: true });
  for (const file of readdirSync(bed)) copyFileSync(join(bed, file), join(folder, file));
  const seeds = bugs.flatMap((bug, at) => [
    seedText(bug, "wrong", 2 * at),
    seedText(bug, "fixed", 2 * at + 1),
  ]);
  const table = seeds.map((_, number) => `    &form${number}::kSeed,`);
  const find = `const Seed * FindSeed(const char * name)
{
    for (const Seed * seed : kSeeds)
        if (strcmp(seed->name, name) == 0) return seed;
    return nullptr;
}
`;
  const text = `#include "Seed.h"\n\n${seeds.join("\n")}\nstatic const Seed * const kSeeds[] = {\n${table.join("\n")}\n};\n\n${find}`;
  writeFileSync(join(folder, "Seeds.cpp"), text);
  return await compileDext([folder], { sanitize: true, coverage: true });
}

/** The bed with one form in it. */
function withSeed(description: DextDescription, name: string, form: Form): DextDescription {
  const table = description.info.IOKitPersonalities as Record<string, Properties>;
  return {
    ...description,
    info: { ...description.info, IOKitPersonalities: { Bed: { ...table.Bed, Seed: `${name}/${form}` } } },
  };
}

/** Looks at one form with what `drydock dext run`, `test` and `fuzz` do. Throws where a fixed form does not start: nothing would be seen of it. */
export async function lookAtSeed(
  description: DextDescription,
  name: string,
  form: Form,
): Promise<DextSighting> {
  const seeded = withSeed(description, name, form);
  const makeRig: MakeRig = ({ bundle }) => askedRig(bundle, { seed: 1, turn: hostTurn });
  const identifier = String(seeded.info.CFBundleIdentifier);
  const options = {
    settleNs,
    tracesObjects: true,
    use: async (rig: ReturnType<MakeRig>) => void (await tryUserClients(rig, identifier)),
  };
  const plain = await runDext(seeded, makeRig, options);
  if (form === "fixed" && !plain.isStarted) throw new Error(`${name}: ${plain.outcomes.join(", ")}`);
  const trials = await tryDext(seeded, makeRig, { ...options, most: trialsMost });
  const fuzz: string[] = [];
  for (const feed of ["calls", "answers"] as const) {
    const report = await fuzzDext({
      description: seeded,
      feed,
      seed: 1,
      inputs: fuzzInputs,
      turn: hostTurn,
      findingsMost: 2,
    });
    fuzz.push(...report.findings.map(({ what }) => what));
  }
  return {
    run: [...plain.findings, ...plain.leaks.map((leak) => `leak: ${leak}`)],
    test: trials.findings.map(({ what, when }) => `${when}: ${what}`),
    fuzz,
  };
}
