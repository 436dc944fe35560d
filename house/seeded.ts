// npm run seeded [-- WORD | -- --part 1/4]: plants each bug, and says which tool found it and whether it was named.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { DextDescription } from "@drydock/dext/host/dext-bundle";
import { checkPackage } from "@drydock/doctor/check";
import { diagnose } from "@drydock/doctor/diagnose";
import { sourceOfText } from "@drydock/doctor/facts/evidence-source";
import { formatCheck } from "@drydock/doctor/report/check-report";
import { cppGrammar } from "@drydock/node/cpp-grammar";
import { buildBed, formOf, lookAtSeed } from "./seeded/dext-bed.ts";
import { readLibrary, type SeededBug } from "./seeded/library.ts";
import type { Sighting } from "./seeded/probe.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

export interface Found {
  readonly bug: SeededBug;
  /** Which tools said anything about the wrong form that they do not say about the fixed one. */
  readonly by: readonly string[];
  readonly isNamed: boolean;
  /** What is said of the fixed form: must be nothing. */
  readonly falseReports: readonly string[];
  readonly said: readonly string[];
}

function probe(name: string, form: "wrong" | "fixed", rig: string): Sighting {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, "house/seeded/probe.ts"), name, form, rig],
    { encoding: "utf8", timeout: 300_000, maxBuffer: 1 << 26 },
  );
  // A driver that brings the probe itself down, or never lets it end, was seen by the run.
  if (status !== 0)
    return {
      outcome: "the probe ended",
      run: [stderr.trim().split("\n").slice(-3).join(" ")],
      explore: [],
      campaign: [],
      soak: [],
    };
  return JSON.parse(stdout) as Sighting;
}

const baselines = new Map<string, Sighting>();

function tryDriver(bug: SeededBug, rig: string): Found {
  const fixed = baselines.get(rig) ?? probe(bug.name, "fixed", rig);
  baselines.set(rig, fixed);
  const wrong = probe(bug.name, "wrong", rig);
  const news = (tool: "run" | "explore" | "campaign" | "soak") =>
    wrong[tool].filter((problem) => !fixed[tool].includes(problem));
  const ended =
    wrong.outcome === fixed.outcome ? [] : [`the run ends "${wrong.outcome}", not "${fixed.outcome}"`];
  const said = {
    run: [...ended, ...news("run")],
    explore: news("explore"),
    campaign: news("campaign"),
    soak: news("soak"),
  };
  const all = [...said.run, ...said.explore, ...said.campaign, ...said.soak];
  return {
    bug,
    by: Object.entries(said).flatMap(([tool, problems]) => (problems.length > 0 ? [tool] : [])),
    isNamed: all.some((problem) => bug.named.test(problem)),
    falseReports: [...fixed.run, ...fixed.explore, ...fixed.campaign, ...fixed.soak].filter(
      (problem) => !problem.startsWith("lucky: "),
    ),
    said: all,
  };
}

/** One file, or several that each begin with a comment that names them. */
function filesOf(text: string): ReturnType<typeof sourceOfText>[] {
  const parts = text.split(/^(?:\/\/|<!--) file: (\S+).*\n/m);
  if (parts.length === 1) return [sourceOfText("Driver.cpp", text)];
  return Array.from({ length: (parts.length - 1) / 2 }, (_, index) =>
    sourceOfText(parts[2 * index + 1], parts[2 * index + 2]),
  );
}

async function rulesFor(text: string): Promise<string[]> {
  const { answers, hints } = await diagnose(filesOf(text), { cppGrammar });
  return [...answers, ...hints].map(({ rule, claim }) => `${rule}: ${claim}`);
}

/** What `drydock check` says of property lists when it does not pass them. */
async function checkOf(text: string): Promise<{ ok: boolean; lines: string[] }> {
  const files = filesOf(text);
  if (files.length === 1) return { ok: true, lines: [] };
  const report = await checkPackage(files, { date: "2026-11-30", platforms: [], platformsMustAccept: false });
  return { ok: report.ok, lines: formatCheck(report).split("\n") };
}

async function trySource(bug: SeededBug): Promise<Found> {
  const [rules, rulesOfFixed] = [await rulesFor(bug.wrong), await rulesFor(bug.fixed)];
  const [check, checkOfFixed] = [await checkOf(bug.wrong), await checkOf(bug.fixed)];
  const doctor = rules.filter((each) => !rulesOfFixed.includes(each));
  const refused = check.ok ? [] : check.lines.filter((line) => !checkOfFixed.lines.includes(line));
  const said = [...doctor, ...refused];
  return {
    bug,
    by: [...(doctor.length > 0 ? ["doctor"] : []), ...(refused.length > 0 ? ["check"] : [])],
    isNamed: said.some((each) => bug.named.test(each)),
    falseReports: [...rulesOfFixed, ...(checkOfFixed.ok ? [] : ["check does not pass it"])],
    said,
  };
}

const bedFolder = join(root, "build/seeded-bed");

/** Compiled once: every seed of C++ is in it. */
let bed: Promise<DextDescription> | null = null;

async function tryDextBug(bug: SeededBug): Promise<Found> {
  bed ??= buildBed(
    readLibrary().filter(({ target }) => target.kind === "dext"),
    bedFolder,
  );
  const description = await bed;
  const look = async (form: "wrong" | "fixed"): Promise<Record<string, readonly string[]>> => ({
    ...(await lookAtSeed(description, bug.name, form)),
    doctor: await rulesFor(`#include <DriverKit/DriverKit.h>\n#include "Seed.h"\n${formOf(bug, form)}`),
  });
  const [wrong, fixed] = [await look("wrong"), await look("fixed")];
  const news = Object.entries(wrong).map(
    ([tool, said]) => [tool, said.filter((each) => !fixed[tool].includes(each))] as const,
  );
  const said = news.flatMap(([, each]) => each);
  return {
    bug,
    by: news.flatMap(([tool, each]) => (each.length > 0 ? [tool] : [])),
    isNamed: said.some((each) => bug.named.test(each)),
    falseReports: Object.values(fixed).flat(),
    said,
  };
}

export async function tryBug(bug: SeededBug): Promise<Found> {
  if (bug.target.kind === "dext") return await tryDextBug(bug);
  return bug.target.kind === "cpp" ? await trySource(bug) : tryDriver(bug, bug.target.rig);
}

/** By the kind that their pages say. */
function missedList(found: readonly Found[]): string {
  const kinds = Map.groupBy(
    found.filter(({ by }) => by.length === 0),
    ({ bug }) => bug.missed.split("; ")[0] || "not looked into",
  );
  return [...kinds]
    .map(([kind, those]) => {
      const rows = those.map(({ bug }) => {
        const how = bug.missed.split("; ").slice(1).join("; ");
        return `  - ${bug.title}${how === "" ? "" : `: ${how}`}\n`;
      });
      return `- **${kind}** (${those.length}):\n${rows.join("")}`;
    })
    .join("");
}

function pageOf(found: readonly Found[]): string {
  const rows = found.map(
    ({ bug, by, isNamed, falseReports }) =>
      `| [${bug.title}](../house/seeded/bugs/${bug.name}.md) | ${bug.family} | ${by.length === 0 ? "**missed**" : by.join(", ")} | ${isNamed ? "yes" : "no"} | ${falseReports.length} | [report](${bug.source}) |`,
  );
  const count = (accept: (each: Found) => boolean): number => found.filter(accept).length;
  return `# Seeded driver bugs

Each was reduced, in our words, from a public report or fix and planted in a driver of ours or written as a dext's C++ or property lists; the tools looked at both
forms. \`run\`: the rig's own scenario, undisturbed; \`explore\`: the cable out at steps spread over it, and every way out; \`campaign\`: accesses lost,
late, wrong, doubled, spread over the workload; \`soak\`: an hour of work with plug cycles; \`doctor\`: the rules that read source and property lists; \`check\`: what \`drydock check\` refuses.
C++ that runs stands in one small dext (\`house/seeded/dext\`), built with \`--sanitize\`: \`run\`, \`test\` and \`fuzz\` are what \`drydock dext run\`, \`test\` and \`fuzz\` do. Named: what a tool said is the bug's name, not only its
consequence. Made by \`npm run seeded\`; a page with both forms and the source is in \`house/seeded/bugs\`.

**${found.length} bugs: ${count(({ by }) => by.length > 0)} found, ${count(({ isNamed }) => isNamed)} named, ${count(({ by }) => by.length === 0)} missed; ${found.reduce((sum, { falseReports }) => sum + falseReports.length, 0)} reports on fixed forms.**

What a device saw of its driver against a specification (*the device says*, with the clause) names many of them; a soak of an odd seed gives devices
that offer the least, so that queues wrap every few commands.

## What is missed

${missedList(found)}
## All of them

| Bug | Family | Found by | Named | Reports on the fixed form | Source |
| --- | --- | --- | --- | --- | --- |
${rows.join("\n")}
`;
}

/** Results of parts, by what they depend on, as long as nothing has been changed since. Null: none are kept. */
function resultsFolder(): string | null {
  const git = (...args: readonly string[]) =>
    spawnSync("git", args, { cwd: root, encoding: "utf8" }).stdout.trim();
  const isClean = git("status", "--porcelain", "--untracked-files=no") === "";
  const key = ["HEAD:packages", "HEAD:house/seeded"]
    .map((tree) => git("rev-parse", tree).slice(0, 16))
    .join("-");
  return isClean ? join(root, "build/seeded-results", key) : null;
}

async function result(bug: SeededBug, folder: string | null): Promise<Found> {
  const file = folder === null ? null : join(folder, `${bug.name}.json`);
  if (file !== null && existsSync(file))
    return { ...(JSON.parse(readFileSync(file, "utf8")) as Omit<Found, "bug">), bug };
  const { bug: _bug, ...found } = await tryBug(bug);
  if (folder !== null && file !== null) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, JSON.stringify(found));
  }
  return { ...found, bug };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [word = "", parts = "1/1"] = process.argv.slice(2);
  const [part, of] = word === "--part" ? parts.split("/").map(Number) : [1, 1];
  const library = readLibrary().filter(
    ({ name }, index) => (word === "--part" || name.includes(word)) && index % of === part - 1,
  );
  const folder = resultsFolder();
  const found: Found[] = [];
  for (const bug of library) {
    const each = await result(bug, folder);
    found.push(each);
    const { by, isNamed, falseReports, said } = each;
    console.log(
      `${bug.name}: ${by.length === 0 ? "missed" : `found by ${by.join(", ")}`}${isNamed ? ", named" : ""}`,
    );
    if (!isNamed) for (const text of said.slice(0, 4)) console.error(`  said: ${text}`);
    for (const text of falseReports) console.error(`  of the fixed form: ${text}`);
  }
  if (word === "") writeFileSync(join(root, "docs/seeded-bugs.md"), pageOf(found));
  process.exitCode = found.some(({ falseReports }) => falseReports.length > 0) ? 1 : 0;
}
