// Which history of a driver extension the lines tell: from the log, the lists and what apps' delegates were told.

import type { HistoryName } from "@drydock/core/platform/life-histories";
import { collectEvidence } from "./evidence/collect.ts";
import type { Evidence } from "./evidence/evidence.ts";
import { watch } from "./evidence/watch.ts";
import type { EvidenceSource, Place } from "./facts/evidence-source.ts";
import type { SystemExtension } from "./facts/system-extension.ts";

export interface NamedLife {
  readonly identifier: string;
  /** Null: the lines fit several, or none that is known. */
  readonly history: HistoryName | null;
  /** What was seen that tells, one sentence. */
  readonly because: string;
  readonly places: readonly Place[];
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
const watches = [realized, finished, approval, failed, crashed, unsatisfied, looked];

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
  const evidence = await collectEvidence(sources, watches);
  const ids = new Set([
    ...evidence.facts("system-extension").map(({ value }) => value.bundleIdentifier),
    ...watches.flatMap((each) => evidence.hits(each).map(({ match }) => match[1])),
  ]);
  return [...ids].map((identifier) => nameLife(evidence, identifier));
}

function nameLife(evidence: Evidence, identifier: string): NamedLife {
  const of = (each: (typeof watches)[number]) =>
    evidence.hits(each).filter(({ match }) => match[1] === identifier);
  const lists = listsOf(evidence, identifier);
  const last = lists.at(-1)?.rows ?? [];
  const end = (
    history: HistoryName | null,
    because: string,
    places: readonly (Place | undefined)[],
  ): NamedLife => ({
    identifier,
    history,
    because,
    places: places.filter((place) => place !== undefined),
  });
  const listed = last.map(({ place }) => place);
  const error = of(failed).at(-1);
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
      `it is killed at launch: its profile does not cover ${refused.match[2]}; whether that is a TestFlight profile is not in these lines`,
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
  return ofVersions(identifier, lists, of(finished), of(approval).length > 0, end);
}

type End = (
  history: HistoryName | null,
  because: string,
  places: readonly (Place | undefined)[],
) => NamedLife;

function ofVersions(
  identifier: string,
  lists: readonly List[],
  done: readonly {
    readonly place: Place;
    readonly row: { readonly process: string };
    readonly match: RegExpExecArray;
  }[],
  wasAsked: boolean,
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
  if (staying !== undefined && done.length > 0)
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

interface List {
  readonly rows: readonly { readonly place: Place; readonly value: SystemExtension }[];
}

/** Lists in the order in which they stand: each begins with its count. One without a head is one list. */
function listsOf(evidence: Evidence, identifier: string): List[] {
  const rows = evidence
    .facts("system-extension")
    .filter(({ value }) => value.bundleIdentifier === identifier);
  const heads = evidence.facts("extension-list");
  if (heads.length === 0) return rows.length === 0 ? [] : [{ rows }];
  return heads.map((head, index) => {
    const next = heads[index + 1];
    const isIn = (place: Place): boolean =>
      place.file === head.place.file &&
      place.line > head.place.line &&
      (next === undefined || next.place.file !== head.place.file || place.line < next.place.line);
    return { rows: rows.filter(({ place }) => isIn(place)) };
  });
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
