// Claims of the evidence's parts beside what their profiles allow, for rules.

import { type ClaimJudgement, judgeClaims } from "@drydock/core/platform/claims";
import type { Evidence } from "../evidence/evidence.ts";
import type { Place } from "../facts/evidence-source.ts";
import { typed } from "../signing/claim-table.ts";
import { claimPlace, type EvidencePart, evidenceParts, isFromManual } from "../signing/parts.ts";

export interface JudgedClaim {
  readonly part: EvidencePart;
  readonly judgement: ClaimJudgement;
  /** The claim first, then the profile. */
  readonly because: readonly Place[];
  /** Both sides with their types. */
  readonly sides: string;
}

/** Every claim of every part that has a profile. */
export function judgedClaims(evidence: Evidence): JudgedClaim[] {
  return evidenceParts(evidence).flatMap((part) => {
    const { claims, profile } = part;
    if (claims === null || profile === null || isFromManual(evidence, part)) return [];
    return judgeClaims(claims, profile.value.profile.allowlist).map((judgement) => ({
      part,
      judgement,
      because: [claimPlace(part, judgement.key), profile.place],
      sides: `claimed ${typed(judgement.claim)}, allowed ${judgement.allowed === undefined ? "nothing" : typed(judgement.allowed)}`,
    }));
  });
}

/** How a report calls a part. */
export function partName(part: EvidencePart): string {
  const kind = { app: "The app", dext: "The driver", tool: "The tool" }[part.role];
  return part.bundleIdentifier === "" ? kind : `${kind} ${part.bundleIdentifier}`;
}
