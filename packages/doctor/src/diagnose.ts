// Evidence in, ranked answers out; or the honest sentence that nothing here is known.

import type { Answer, Diagnosis, SuppressedFinding } from "./diagnosis.ts";
import { collectEvidence } from "./evidence/collect.ts";
import type { Evidence } from "./evidence/evidence.ts";
import type { Watch } from "./evidence/watch.ts";
import {
  defaultLimits,
  type EvidenceLimits,
  type EvidenceSource,
  type Place,
} from "./facts/evidence-source.ts";
import type { EvidenceKind } from "./facts/read-file.ts";
import type { Claimed, Statement } from "./facts/statement.ts";
import { lifeWatches, livesOf } from "./life.ts";
import { readingsOf } from "./readings.ts";
import { redactDiagnosis } from "./redact.ts";
import { allRules } from "./rules/all-rules.ts";
import { phonePlaces } from "./rules/machines.ts";
import { answerThreshold, type Finding, type Rule } from "./rules/rule.ts";
import { isWhole } from "./rules/wholeness.ts";
import { shownReport } from "./shown-report.ts";
import { rehearsePackages } from "./signing/package-rehearsal.ts";
import type { CppGrammar } from "./source/cpp-parser.ts";

export interface DiagnoseOptions {
  /** Brings the C++ grammar; without it source files are named and not read. */
  readonly cppGrammar?: CppGrammar;
  readonly rules?: readonly Rule[];
  readonly limits?: EvidenceLimits;
  /** Team ids, serial numbers, devices and user names become words. Default false. */
  readonly redact?: boolean;
  /** The day for which profiles are judged (ISO 8601); null (default): none has expired. */
  readonly today?: string | null;
}

const placesShown = 12;
const livesShown = 20;

/** The same list for the same rules, so that what is compiled from it is compiled once. */
const watchLists = new WeakMap<readonly Rule[], readonly Watch[]>();

function watchesOf(rules: readonly Rule[]): readonly Watch[] {
  let watches = watchLists.get(rules);
  if (watches === undefined) {
    watches = [...rules.flatMap((rule) => rule.watches ?? []), ...lifeWatches];
    watchLists.set(rules, watches);
  }
  return watches;
}

/** Deterministic: the same files in the same order give the same diagnosis. */
export async function diagnose(
  sources: Iterable<EvidenceSource> | AsyncIterable<EvidenceSource>,
  options: DiagnoseOptions = {},
): Promise<Diagnosis> {
  const rules = options.rules ?? allRules;
  const evidence = await collectEvidence(
    sources,
    watchesOf(rules),
    options.limits ?? defaultLimits,
    options.cppGrammar ?? null,
  );
  const diagnosis = judge(evidence, rules, options.today ?? null);
  return shownReport(options.redact === true ? redactDiagnosis(diagnosis, evidence.secrets) : diagnosis);
}

/** The second half of {@link diagnose}, for those who hold evidence already. */
export function judge(
  evidence: Evidence,
  rules: readonly Rule[] = allRules,
  today: string | null = null,
): Diagnosis {
  const found = new Map<string, Answer>();
  const suppressed: SuppressedFinding[] = [];
  for (const rule of rules) {
    for (const finding of rule.judge(evidence)) {
      const claimed: Claimed = finding.states ?? rule.states ?? { predicate: rule.title, state: "seen" };
      // Absent is only what is missing from something that was handed in whole.
      const where =
        claimed.state === "absent"
          ? finding.because.find((place) => isWhole(evidence, claimed.within, place))
          : finding.because[0];
      if (where === undefined) continue;
      const reason = suppressionOf(evidence, rule.id, finding.because[0]);
      if (reason !== null) {
        suppressed.push({ rule: rule.id, claim: finding.claim, place: finding.because[0], reason });
        continue;
      }
      const answer: Answer = {
        rule: rule.id,
        title: rule.title,
        severity: finding.severity ?? rule.severity,
        certainty: rule.certainty,
        source: rule.source,
        score: finding.score,
        claim: finding.claim,
        why: finding.why ?? rule.why,
        fix: finding.fix ?? rule.fix,
        who: finding.who ?? rule.who,
        because: finding.because.slice(0, placesShown),
        missing: finding.missing ?? [],
        about: finding.about ?? [],
        statements: [statementOf(finding, claimed, where.file)],
      };
      const key = `${answer.rule}\n${answer.claim}`;
      const before = found.get(key);
      found.set(key, before === undefined ? answer : together(before, answer));
    }
  }
  const collecting = new Set(rules.filter((rule) => rule.isAboutCollecting === true).map(({ id }) => id));
  const ranked = [...found.values()].sort(
    (left, right) =>
      Number(collecting.has(left.rule)) - Number(collecting.has(right.rule)) ||
      right.score - left.score ||
      (left.rule < right.rule ? -1 : left.rule > right.rule ? 1 : 0),
  );
  const answers = ranked.filter(({ score }) => score >= answerThreshold);
  const hints = ranked.filter(({ score }) => score < answerThreshold);
  return {
    version: 1,
    isKnown: answers.length > 0,
    answers,
    hints,
    suppressed,
    files: evidence.files,
    readings: readingsOf(evidence, today, answers),
    lives: livesOf(evidence)
      .filter(({ history }) => history !== null)
      .slice(0, livesShown),
    missing: whatIsMissing(evidence, answers, hints),
    rehearsals: rehearsePackages(evidence, { date: today }),
  };
}

function statementOf({ about = [] }: Finding, claimed: Claimed, file: string): Statement {
  return {
    subject: about.find((name) => name !== "") ?? file,
    predicate: claimed.predicate,
    state: claimed.state,
    file,
    within: claimed.state === "absent" ? claimed.within : null,
  };
}

/** The reason given by a comment on the finding's line or the one before; null when there is none. */
function suppressionOf(evidence: Evidence, rule: string, place: Place | undefined): string | null {
  if (place === undefined) return null;
  const fits = evidence
    .facts("suppression")
    .find(
      (fact) =>
        fact.value.rule === rule &&
        fact.place.file === place.file &&
        (fact.place.line === place.line || fact.place.line === place.line - 1),
    );
  return fits?.value.reason ?? null;
}

/** The same claim from two places. */
function together(left: Answer, right: Answer): Answer {
  const key = (place: Place) => `${place.file}:${place.line}:${place.column ?? 0}:${place.offset ?? 0}`;
  const seen = new Set(left.because.map(key));
  const more = right.because.filter((place) => !seen.has(key(place)));
  return {
    ...left,
    score: Math.max(left.score, right.score),
    because: [...left.because, ...more].slice(0, placesShown),
    missing: [...new Set([...left.missing, ...right.missing])],
    about: [...new Set([...left.about, ...right.about])],
    statements: [
      ...new Map(
        [...left.statements, ...right.statements].map((one) => [`${one.subject}\n${one.file}`, one]),
      ).values(),
    ].slice(0, placesShown),
  };
}

/** What to collect, for somebody whose problem is not known, or known only in part. */
const collectables: readonly [EvidenceKind, string][] = [
  ["log", "the log around the failure: log show --last 10m --info --debug > log.txt"],
  ["registry dump", "the registry while the device is plugged in: ioreg -l -w0 > ioreg.txt"],
  ["system extensions list", "the list of extensions: systemextensionsctl list > extensions.txt"],
  [
    "entitlements",
    "the entitlements of app and driver: codesign -d --entitlements - --xml PATH > entitlements.plist",
  ],
];

function whatIsMissing(evidence: Evidence, answers: readonly Answer[], hints: readonly Answer[]): string[] {
  const missing = new Set(answers.flatMap((answer) => answer.missing));
  if (answers.length === 0) {
    for (const hint of hints) for (const text of hint.missing) missing.add(text);
    for (const kind of worthCollecting(evidence)) {
      const text = collectables.find(([name]) => name === kind)?.[1];
      if (text !== undefined && !evidence.files.some(({ kinds }) => kinds.includes(kind))) missing.add(text);
    }
  }
  return [...missing].slice(0, 8);
}

/** What fits to what is there: a panic wants its own whole file, a phone has none of a Mac's tools, a tree has no log. */
function worthCollecting(evidence: Evidence): EvidenceKind[] {
  if (evidence.facts("panic").length > 0 || phonePlaces(evidence).length > 0) return [];
  const has = (kind: EvidenceKind) => evidence.files.some(({ kinds }) => kinds.includes(kind));
  if (has("crash report") || has("capture")) return ["log"];
  const isMade = (["source", "Info.plist", "entitlements", "provisioning profile", "Mach-O"] as const).some(
    has,
  );
  const isAsked = ["provisioning profile", "installer package", "disk image"] as const;
  if (evidence.files.every(({ kinds }) => isAsked.some((kind) => kinds.includes(kind)))) return [];
  if (isMade && !has("log")) return ["log", "registry dump"];
  return collectables.map(([kind]) => kind);
}
