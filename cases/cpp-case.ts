// A case in C++: the same bench and judge, with a dext that is compiled from the case's folder.

import { fileURLToPath } from "node:url";
import { firstDifference } from "@drydock/core/trace/trace-diff";
import { type TraceLine, traceLines } from "@drydock/core/trace/usb-text";
import type { DextDescription, DextOptions } from "@drydock/dext/host/dext-bundle";
import { type CompileOptions, compileDext } from "@drydock/dext/run/compile-dext";
import type { CppGrammar } from "@drydock/doctor/source/cpp-parser";
import type { CaseOptions, CaseRun, DriverCase, Side } from "./driver-case.ts";

/** Where the fault of a wrong driver stands in its files. */
export interface CppPlace {
  /** Below the case's folder: "cpp/bad/SetLineCoding.cpp". */
  readonly path: string;
  readonly line: number;
  readonly text: string;
}

export interface CppRun extends CaseRun {
  /** Why it failed and where, surest first; empty for a driver that is right. */
  readonly places: readonly CppPlace[];
}

export interface CppCase {
  readonly entry: DriverCase;
  /** The case's folder. */
  readonly folder: URL;
  /** Files of a side, below the folder: interfaces, sources, Info.plist, entitlements. */
  files(side: Side): readonly string[];
  /** False: one of its sides never starts in C++, so there are no steps to lay beside TypeScript's. Default true. */
  readonly hasSteps?: boolean;
  run(side: Side, options: CppCaseOptions): Promise<CppRun>;
}

export interface CppCaseOptions extends CaseOptions {
  /** Reads sources, for a case whose fault the doctor tells; from @drydock/node/cpp-grammar. */
  readonly cppGrammar: CppGrammar;
  /** Default: the compiler of this machine, and the cache in the user's folder. */
  readonly compile?: CompileOptions;
  /** How the dext is loaded; default: as DextOptions say. */
  readonly load?: DextOptions;
}

/** Rejects with DextBuildError, which has places in the case's files, when the side does not compile. */
export function compileSide(one: CppCase, side: Side, options: CppCaseOptions): Promise<DextDescription> {
  const paths = one.files(side).map((path) => fileURLToPath(new URL(path, one.folder)));
  return compileDext(paths, options.compile ?? {});
}

export interface LanguageComparison {
  /** Transfers on the wire, where the case has one; else lines of the log. */
  readonly compared: number;
  /** The first that differs, from 1; null: all are the same, in order. */
  readonly difference: number | null;
  readonly what: "transfers" | "log lines";
  /** The same steps in both languages; times are virtual. */
  readonly rows: readonly { readonly typescriptNs: number; readonly cppNs: number; readonly text: string }[];
}

/** What one driver did in TypeScript and in C++, step for step. */
export function compareLanguages(entry: DriverCase, typescript: CaseRun, cpp: CaseRun): LanguageComparison {
  if (typescript.trace !== null && cpp.trace !== null) {
    const lines = (run: CaseRun): TraceLine[] =>
      traceLines(run.trace!, { describeRequests: entry.describeRequests });
    const [left, right] = [lines(typescript), lines(cpp)];
    const { index } = firstDifference(left, right);
    return {
      compared: Math.max(left.length, right.length),
      difference: index === null ? null : index + 1,
      what: "transfers",
      rows: left
        .slice(0, index ?? left.length)
        .map(({ timeNs, wire }, at) => ({ typescriptNs: timeNs, cppNs: right[at]!.timeNs, text: wire })),
    };
  }
  const said = ({ log }: CaseRun) => log.map(({ message, timeNs }) => ({ message: steady(message), timeNs }));
  const [left, right] = [said(typescript), said(cpp)];
  const length = Math.max(left.length, right.length);
  let index = 0;
  while (index < length && left[index]?.message === right[index]?.message) index += 1;
  return {
    compared: length,
    difference: index === length ? null : index + 1,
    what: "log lines",
    rows: left
      .slice(0, index)
      .map(({ message, timeNs }, at) => ({ typescriptNs: timeNs, cppNs: right[at]!.timeNs, text: message })),
  };
}

/** Ids of registry entries differ where a host makes an object more: what is said of them does not. */
function steady(message: string): string {
  return message.replace(/-0x[0-9a-f]+/g, "-0x...");
}
