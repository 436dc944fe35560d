// The diagnosis as SARIF 2.1.0 (OASIS), for code scanning services and editors.

import type { Answer, Diagnosis } from "../diagnosis.ts";
import type { Place } from "../facts/evidence-source.ts";
import { allRules } from "../rules/all-rules.ts";
import type { Rule, Severity } from "../rules/rule.ts";

/** SARIF section 3.27.10 */
const levels: Readonly<Record<Severity, "error" | "warning" | "note">> = {
  error: "error",
  warning: "warning",
  note: "note",
};

/**
 * One run. Answers and hints are results (a hint is at most a note, its rank is its score), findings that the source takes
 * back are results with a suppression, and what could not be read is a notification of the invocation.
 */
export function toSarif(diagnosis: Diagnosis, version: string): Record<string, unknown> {
  const used = new Set([
    ...diagnosis.answers.map(({ rule }) => rule),
    ...diagnosis.hints.map(({ rule }) => rule),
    ...diagnosis.suppressed.map(({ rule }) => rule),
  ]);
  const rules = allRules.filter(({ id }) => used.has(id));
  const index = new Map(rules.map(({ id }, position) => [id, position]));
  const result = (answer: Answer, isHint: boolean) => ({
    ruleId: answer.rule,
    ruleIndex: index.get(answer.rule) ?? -1,
    level: isHint ? "note" : levels[answer.severity],
    rank: answer.score,
    message: { text: messageOf(answer) },
    locations: answer.because.slice(0, 1).map(locationOf),
    relatedLocations: answer.because.slice(1).map((place, id) => ({ id, ...locationOf(place) })),
    partialFingerprints: {
      "drydockFinding/v1": `${answer.rule} ${answer.because[0]?.file ?? ""} ${answer.claim}`,
    },
  });
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "Drydock", semanticVersion: version, rules: rules.map(descriptorOf) } },
        columnKind: "utf16CodeUnits",
        invocations: [
          {
            executionSuccessful: true,
            toolExecutionNotifications: diagnosis.files.flatMap(({ name, problems }) =>
              problems.map((problem) => ({
                level: "warning",
                message: { text: `${name} ${problem}` },
                locations: [{ physicalLocation: { artifactLocation: { uri: uriOf(name) } } }],
              })),
            ),
          },
        ],
        results: [
          ...diagnosis.answers.map((answer) => result(answer, false)),
          ...diagnosis.hints.map((hint) => result(hint, true)),
          ...diagnosis.suppressed.map(({ rule, claim, place, reason }) => ({
            ruleId: rule,
            ruleIndex: index.get(rule) ?? -1,
            message: { text: claim },
            locations: [locationOf(place)],
            suppressions: [{ kind: "inSource", justification: reason }],
          })),
        ],
      },
    ],
  };
}

function messageOf(answer: Answer): string {
  return `${answer.claim} ${answer.fix.join(" ")}`;
}

function descriptorOf(rule: Rule): Record<string, unknown> {
  return {
    id: rule.id,
    shortDescription: { text: rule.title },
    fullDescription: { text: rule.why },
    help: { text: [...rule.fix, `To be done by ${rule.who}.`].join("\n") },
    defaultConfiguration: { level: levels[rule.severity] },
    properties: { certainty: rule.certainty, source: rule.source },
  };
}

function locationOf(place: Place): Record<string, unknown> {
  const region =
    place.line > 0
      ? {
          startLine: place.line,
          ...(place.column === undefined ? {} : { startColumn: place.column }),
          snippet: { text: place.text },
        }
      : { byteOffset: place.offset ?? 0, byteLength: 0 };
  return { physicalLocation: { artifactLocation: { uri: uriOf(place.file) }, region } };
}

/** A relative URI: a file's name may hold anything. */
function uriOf(name: string): string {
  return name.split("/").map(encodeURIComponent).join("/");
}
