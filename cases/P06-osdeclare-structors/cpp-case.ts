// P06 in C++: a header that no system can make a class of, and the same gamepad declared in an .iig file.

import { readFileSync } from "node:fs";
import { LoadedDext } from "@drydock/dext/host/dext-bundle";
import { NoDextError } from "@drydock/dext/project/no-dext-error";
import { DextBuildError } from "@drydock/dext/run/compile-dext";
import { diagnose } from "@drydock/doctor/diagnose";
import { sourceOfText } from "@drydock/doctor/facts/evidence-source";
import { type CppCase, type CppCaseOptions, type CppPlace, type CppRun, compileSide } from "../cpp-case.ts";
import { declareStructorsCase, gamepadBench, judgeGamepad } from "./case.ts";

const folder = new URL(".", import.meta.url);
const header = "cpp/bad/VirtualGamepad.h";
const className = "VirtualGamepad";

/** What the doctor's rules say of the header, in order of its lines. */
async function placesOf({ cppGrammar }: CppCaseOptions): Promise<CppPlace[]> {
  const source = sourceOfText(header, readFileSync(new URL(header, folder), "utf8"));
  const { answers, hints } = await diagnose([source], { cppGrammar });
  return [...answers, ...hints]
    .map(({ because, claim, rule }) => ({ path: header, line: because[0].line, text: `${rule} ${claim}` }))
    .toSorted((one, other) => one.line - other.line || one.text.localeCompare(other.text));
}

async function runBad(options: CppCaseOptions): Promise<CppRun> {
  const base = { succeeded: false, trace: null, log: [] } as const;
  try {
    await compileSide(declareStructorsCpp, "bad", options);
  } catch (error) {
    if (!(error instanceof NoDextError) && !(error instanceof DextBuildError)) throw error;
    const result = `no gamepad: no .iig file declares ${className}, so nothing of it is a class that a system can make`;
    return { ...base, result, places: await placesOf(options) };
  }
  return { ...base, succeeded: true, result: "the header compiled", places: [] };
}

async function runGood(options: CppCaseOptions): Promise<CppRun> {
  const built = await compileSide(declareStructorsCpp, "good", options);
  const dext = new LoadedDext({ ...built, teamIdentifier: "CASE000006" }, options.load);
  const bench = await gamepadBench(dext.bundle, options);
  const run = await judgeGamepad(bench, async (state) => {
    const [cxx] = dext.processes;
    const method = cxx?.methodOf(className, `${className}.Post`);
    if (bench.gamepad === null || cxx === undefined || method == null) return;
    await cxx.run(method.thunk, cxx.addressOf(bench.gamepad), state.x, state.y, state.buttons);
  });
  return { ...run, places: [] };
}

export const declareStructorsCpp: CppCase = {
  entry: declareStructorsCase,
  folder,
  hasSteps: false,
  files: (side) => [
    ...(side === "bad"
      ? [header, "cpp/bad/VirtualGamepad.cpp"]
      : ["cpp/good/VirtualGamepad.iig", "cpp/good/VirtualGamepad.cpp"]),
    "cpp/Info.plist",
    "cpp/Gamepad.entitlements",
  ],
  run: (side, options) => (side === "bad" ? runBad(options) : runGood(options)),
};
