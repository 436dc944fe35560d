// Which history of a driver extension the lines tell: from the log, the lists and what apps' delegates were told.

import type { LifeMark } from "@drydock/core/platform/extension-life";
import { type HistoryName, lifeHistories } from "@drydock/core/platform/life-histories";
import { collectEvidence } from "./evidence/collect.ts";
import type { Evidence } from "./evidence/evidence.ts";
import { type Hit, type Watch, watch } from "./evidence/watch.ts";
import type { EvidenceSource, Place } from "./facts/evidence-source.ts";
import { type ExtensionRows, extensionRows } from "./rules/extension-lists.ts";

export interface NamedLife {
  readonly identifier: string;
  /** Null: the lines fit several, or none that is known. */
  readonly history: HistoryName | null;
  /** What was seen that tells, one sentence. */
  readonly because: string;
  readonly places: readonly Place[];
  /** The history in one line, what it ends with and how well that is known; empty and unknown without a history. */
  readonly summary: string;
  readonly ending: string;
  readonly mark: LifeMark;
}

const realized = watch(
  ["realize extension with identifier"],
  /attempting to realize extension with identifier ([\w.-]{3,255})/,
);
const finished = watch(
  ["didFinishWithResult"],
  /didFinishWithResult\S{0,20}\s+([\w.-]{3,255})\s+(completed|willCompleteAfterReboot)/,
);
const approval = watch(["requestNeedsUserApproval"], /requestNeedsUserApproval\S{0,20}\s+([\w.-]{3,255})/);
const failed = watch(
  ["OSSystemExtensionErrorDomain"],
  /didFailWithError\S{0,20}\s+([\w.-]{3,255})\s+OSSystemExtensionErrorDomain\D{0,20}(\d{1,2})/,
);
const crashed = watch(["has crashed"], /Driver ([\w.-]{3,255}) has crashed (\d{1,4}) time/);
const unsatisfied = watch(
  ["Unsatisfied entitlements"],
  /([\w.-]{3,255}): Unsatisfied entitlements: (.{1,200})/,
);
const looked = watch(
  ["IOServiceGetMatchingService"],
  /iPadOS\b.{0,80}IOServiceGetMatchingService for ([\w.-]{3,255}): no service/,
);
/** What the app's delegate was asked about another version. */
const asked = watch(
  ["actionForExtension"],
  /actionForExtension\S{0,40}\s+([\w.-]{3,255})\s+([\w.+-]{1,40}\/[\w.+-]{1,40}) -> ([\w.+-]{1,40}\/[\w.+-]{1,40})/,
);
/** Whoever collects evidence for {@link livesOf} looks for these. */
export const lifeWatches: readonly Watch[] = [
  realized,
  finished,
  approval,
  failed,
  crashed,
  unsatisfied,
  looked,
  asked,
];

const placesKept = 12;
/** The request that came instead may well have been carried out; after any other number that means that it went well later. */
const superseded = "12";

const byError: Readonly<Record<number, readonly [HistoryName, string]>> = {
  3: [
    "not-in-applications",
    "the request ended with error 3: the app is in a folder from which none may ask",
  ],
  10: ["managed-forbidden", "the request ended with error 10: a policy forbids it"],
  11: ["replacement-declined", "the request ended with error 11 when another version was there"],
  12: ["request-superseded", "the request ended with error 12: another one came"],
};

export async function nameLives(sources: Iterable<EvidenceSource>): Promise<NamedLife[]> {
  return livesOf(await collectEvidence(sources, lifeWatches));
}

/** One for each extension that a line names, known history or not, in the order in which they are met. */
export function livesOf(evidence: Evidence): NamedLife[] {
  const hits = lifeWatches.map((each) => ({ each, byId: hitsById(evidence.hits(each)) }));
  const ids = new Set([
    ...evidence.facts("system-extension").map(({ value }) => value.bundleIdentifier),
    ...hits.flatMap(({ each, byId }) =>
      [...byId].flatMap(([id, own]) => (each !== unsatisfied || own.some(isOfDriver) ? [id] : [])),
    ),
  ]);
  const of: HitsOf = (each, id) => hits.find((one) => one.each === each)?.byId.get(id) ?? [];
  const listsOf = extensionRows(evidence);
  return [...ids].map((identifier) =>
    nameLife(identifier, listsOf(identifier), (each) => of(each, identifier)),
  );
}

/** A named history as a report says it, one paragraph. */
export function lifeSentence({ because, ending, history, identifier, mark, summary }: NamedLife): string {
  return `${identifier}: ${history}: ${summary}; because ${because}. It ends: ${ending} (${mark}).`;
}

/** Of the same file; of two files nobody knows which was first. */
function isAfter(place: Place, other: Place): boolean {
  return place.file === other.file && place.line > other.line;
}

type HitsOf = (each: Watch, identifier: string) => readonly Hit[];

function hitsById(hits: readonly Hit[]): Map<string, Hit[]> {
  const byId = new Map<string, Hit[]>();
  for (const hit of hits) {
    const own = byId.get(hit.match[1]) ?? [];
    own.push(hit);
    byId.set(hit.match[1], own);
  }
  return byId;
}

/** Programs are refused in the same words; only a driver claims these. */
function isOfDriver({ match }: Hit): boolean {
  return /com\.apple\.developer\.driverkit(?:\.(?:transport|family|builtin)\b|(?![.\w]))/.test(match[2]);
}

function nameLife(
  identifier: string,
  lists: readonly ExtensionRows[],
  of: (each: Watch) => readonly Hit[],
): NamedLife {
  const last = lists.at(-1)?.rows ?? [];
  const end = (
    history: HistoryName | null,
    because: string,
    places: readonly (Place | undefined)[],
  ): NamedLife => {
    const known = lifeHistories.find(({ name }) => name === history);
    return {
      identifier,
      history,
      because,
      places: places.filter((place) => place !== undefined).slice(0, placesKept),
      summary: known?.summary ?? "",
      ending: known?.ending ?? "",
      mark: known?.mark ?? "unknown",
    };
  };
  const listed = last.map(({ place }) => place);
  const error = of(failed).findLast(
    ({ match, place }) => match[2] === superseded || !of(finished).some((done) => isAfter(done.place, place)),
  );
  const code = error === undefined ? 0 : Number(error.match[2]);
  const isStuck = last.some(({ value }) => /terminating for upgrade/.test(value.state));
  if (isStuck && (code === 4 || error === undefined))
    return end(
      "same-version-twice",
      `a row is stuck in "${last.find(({ value }) => /terminating/.test(value.state))?.value.state}"${code === 4 ? ", and the request ended with error 4" : ""}`,
      [...listed, error?.place],
    );
  if (byError[code] !== undefined) return end(...byError[code], [error?.place]);
  const counts = of(crashed);
  const most = Math.max(0, ...counts.map(({ match }) => Number(match[2])));
  if (most >= 2)
    return end("crash-loop", `the kernel counts ${most} crashes and launches it again`, [
      counts.at(-1)?.place,
    ]);
  const refused = of(unsatisfied)[0];
  if (refused !== undefined)
    return end(
      "profile-lacks-key",
      `it is killed at launch for ${refused.match[2]}; whose profile that is, TestFlight or another, is not in these lines`,
      [refused.place],
    );
  const service = of(looked)[0];
  if (service !== undefined)
    return end(
      "ipad-switch",
      "an app on iPadOS found no service: most often the driver is switched off in Settings",
      [service.place],
    );
  if (last.some(({ value }) => /waiting for user/.test(value.state)))
    return end("approval-pending", "the last list says that it waits for the user", listed);
  const hasLeft =
    last.length === 0 &&
    lists.slice(0, -1).some(({ rows }) => rows.some(({ value }) => /reboot/.test(value.state)));
  if (hasLeft)
    return end("uninstalled-then-restarted", "it waited for a restart, and is in the list no more", []);
  return ofVersions(
    identifier,
    { lists, done: of(finished), asked: of(asked).at(-1), wasAsked: of(approval).length > 0 },
    end,
  );
}

type End = (
  history: HistoryName | null,
  because: string,
  places: readonly (Place | undefined)[],
) => NamedLife;

function ofVersions(
  identifier: string,
  {
    asked: change,
    done,
    lists,
    wasAsked,
  }: {
    readonly lists: readonly ExtensionRows[];
    readonly done: readonly Hit[];
    /** The last question about another version. */
    readonly asked: Hit | undefined;
    /** Whether the user was asked. */
    readonly wasAsked: boolean;
  },
  end: End,
): NamedLife {
  const last = lists.at(-1)?.rows ?? [];
  const listed = last.map(({ place }) => place);
  const leaving = last.find(({ value }) => /reboot|terminat/.test(value.state));
  const staying = last.find(({ value }) => /^activated/.test(value.state));
  if (leaving !== undefined && staying !== undefined)
    return end(
      "replaced-while-open",
      `${staying.value.version} is activated, and ${leaving.value.version} is "${leaving.value.state}": somebody had it open`,
      listed,
    );
  if (leaving !== undefined)
    return end(
      "uninstalled-then-restarted",
      `it is "${leaving.value.state}": only a restart takes it out of the list`,
      listed,
    );
  const apps = new Set(done.map(({ row }) => row.process));
  const before = lists
    .slice(0, -1)
    .flatMap(({ rows }) => rows)
    .find(({ value }) => value.version !== staying?.value.version && /enabled/.test(value.state));
  if (apps.size > 1)
    return end(
      "two-apps-one-driver",
      `${[...apps].join(" and ")} have activated it`,
      done.map(({ place }) => place),
    );
  if (staying !== undefined && before !== undefined) {
    const isLower = compareVersions(staying.value.version, before.value.version) < 0;
    return end(
      isLower ? "downgraded" : "replaced-never-opened",
      `${before.value.version} was activated, ${staying.value.version} alone is now`,
      [before.place, ...listed],
    );
  }
  const [, , oldVersion = "", newVersion = ""] = change?.match ?? [];
  // Without a list, what the delegate was asked and how the request ended.
  if (lists.length === 0 && change !== undefined && oldVersion !== newVersion) {
    const result = done.find(({ place }) => isAfter(place, change.place));
    if (result?.match[2] === "willCompleteAfterReboot")
      return end("replaced-while-open", `${newVersion} replaces ${oldVersion} after a restart: it was open`, [
        change.place,
        result.place,
      ]);
    if (result !== undefined)
      return end(
        compareVersions(newVersion, oldVersion) < 0 ? "downgraded" : "replaced-never-opened",
        `${newVersion} came for ${oldVersion}, and the request was completed`,
        [change.place, result.place],
      );
  }
  if (staying !== undefined && done.length > 0 && change === undefined)
    return wasAsked
      ? end("fresh", "the user was asked, and it is activated and enabled", [...listed, done[0].place])
      : end(
          "managed-allowed",
          "it was activated without a question: a profile allows it, or the user had allowed it before, which these lines do not say",
          [...listed, done[0].place],
        );
  return end(
    null,
    staying === undefined
      ? `the lines about ${identifier} fit no history that is known here`
      : `it is "${staying.value.state}"; how it came there is not in these lines`,
    listed,
  );
}

/** "1.10/3" against "1.9/12": number by number, the build last. */
function compareVersions(left: string, right: string): number {
  const [a, b] = [left, right].map((text) => text.split(/[./]/).map(Number));
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const difference = (a[index] || 0) - (b[index] || 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
