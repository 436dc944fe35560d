// Which of several drivers a nub gets: every personality judged, ranked, and told why it is not the one.

import { decideProviderAttach } from "./access.ts";
import type { MatchSubject, MatchVerdict } from "./match-verdict.ts";
import { matchPersonality } from "./matching.ts";
import { whyNoFamily } from "./platform-families.ts";
import type { PlatformProfile } from "./platform-profile.ts";
import type { Properties } from "./properties.ts";

/** What matching needs to know of a driver. */
export interface DriverOffer {
  readonly kind?: "dext" | "kext";
  readonly identifier: string;
  readonly personalities: Readonly<Record<string, Properties>>;
  /** Null: nobody knows what it was signed with, and nothing is said about it. */
  readonly entitlements: Properties | null;
  /** A system let it in already: what it was signed with is settled. */
  readonly isRunning?: boolean;
}

/** One personality judged against one nub. */
export interface JudgedPersonality<Offer> {
  readonly offer: Offer;
  readonly personalityName: string;
  readonly personality: Properties;
  readonly category: string;
  readonly verdict: MatchVerdict;
}

export const defaultCategory = "IODefaultMatchCategory";

export function categoryOf(personality: Properties): string {
  const { IOMatchCategory } = personality;
  return typeof IOMatchCategory === "string" ? IOMatchCategory : defaultCategory;
}

/** Best first; equal scores in the order of the offers, those that do not match last. */
export function rankPersonalities<Offer>(
  offers: Iterable<Offer>,
  personalitiesOf: (offer: Offer) => Readonly<Record<string, Properties>>,
  subject: MatchSubject,
): JudgedPersonality<Offer>[] {
  const judged: JudgedPersonality<Offer>[] = [];
  for (const offer of offers)
    for (const [personalityName, personality] of Object.entries(personalitiesOf(offer)))
      judged.push({
        offer,
        personalityName,
        personality,
        category: categoryOf(personality),
        verdict: matchPersonality(personality, subject),
      });
  return judged.sort(
    (left, right) =>
      Number(right.verdict.matches) - Number(left.verdict.matches) ||
      right.verdict.score - left.verdict.score,
  );
}

export type ChoiceOutcome =
  /** It is started on the nub, unless its own Start refuses. */
  | "binds"
  /** It fits, and another one of its category fits better. */
  | "outranked"
  /** It fits, and the system does not let it run there. */
  | "refused"
  | "no match";

export interface DriverChoice extends JudgedPersonality<DriverOffer> {
  readonly outcome: ChoiceOutcome;
  /** Why, in one sentence. */
  readonly reason: string;
  /** Others of the category with the same score: which of them is first is not settled by matching. */
  readonly tiedWith: readonly string[];
}

/** Whether the scores of two drivers on this nub can be compared with a real system's: HID's scores are our own. */
export function scoresAreOwn(subject: MatchSubject): boolean {
  return subject.classChain.some((name) => name === "IOHIDInterface" || name === "IOHIDDevice");
}

/** Where a driver was tried: why it did not start; null: it did, or nobody knows. */
export type StartRefusal = (identifier: string, personalityName: string) => string | null;

/**
 * What matching does with `offers` on one nub: each category takes the best that fits and is let in. What a driver's own
 * probe and Start make of it is known only to `startRefusal`: who refuses leaves the place to the next.
 */
export function chooseDrivers(
  offers: readonly DriverOffer[],
  subject: MatchSubject,
  profile: PlatformProfile,
  startRefusal: StartRefusal = () => null,
): DriverChoice[] {
  const taken = new Map<string, JudgedPersonality<DriverOffer>>();
  const ranked = rankPersonalities(offers, ({ personalities }) => personalities, subject);
  return ranked.map((judged) => {
    const { verdict, category, offer } = judged;
    const tied = ranked.filter(
      (other) =>
        other !== judged &&
        verdict.matches &&
        other.verdict.matches &&
        other.category === category &&
        other.verdict.score === verdict.score,
    );
    const tiedWith = tied.map(
      ({ offer: { identifier }, personalityName }) => `${identifier} (${personalityName})`,
    );
    const end = (outcome: ChoiceOutcome, reason: string): DriverChoice => ({
      ...judged,
      outcome,
      reason,
      tiedWith,
    });
    if (!verdict.matches) return end("no match", verdict.reason);
    const before = taken.get(category);
    if (before !== undefined) {
      const [mine, its] = [verdict.score, before.verdict.score];
      const how = mine === its ? `fits as well (${mine})` : `fits better: ${its} against ${mine}`;
      return end(
        "outranked",
        `${before.offer.identifier} (${before.personalityName}) of the same category ${category} ${how}`,
      );
    }
    const refused =
      whyRefused(judged, offer, subject, profile) ?? startRefusal(offer.identifier, judged.personalityName);
    if (refused !== null) return end("refused", refused);
    taken.set(category, judged);
    return end("binds", verdict.reason);
  });
}

/** What keeps a driver that fits from running on the nub; null: nothing that is known here. */
function whyRefused(
  { personality }: JudgedPersonality<DriverOffer>,
  { kind = "dext", identifier, entitlements }: DriverOffer,
  subject: MatchSubject,
  profile: PlatformProfile,
): string | null {
  if (kind === "kext") return null;
  if (!profile.driverKit) return `${profile.name} runs no driver extensions`;
  const { IOClass, IOUserClass } = personality;
  if (typeof IOUserClass !== "string") return "the personality has no IOUserClass";
  const absent = typeof IOClass === "string" ? whyNoFamily(profile, IOClass) : null;
  if (absent !== null) return absent;
  if (entitlements === null) return null;
  const attach = decideProviderAttach({
    profile,
    processName: identifier,
    processId: 0,
    bundleIdentifier: identifier,
    registryId: 0,
    serviceClassName: IOUserClass,
    dextEntitlements: entitlements,
    provider: subject,
    serviceProperties: personality,
  });
  return attach.allowed ? null : attach.reason;
}
