// Everything that a board's store promises, as one list of checks: every store runs all of it.

import { boardStoreChecks, type StoreContractCheck } from "./board-store-checks.ts";
import { evidenceStoreChecks } from "./evidence-store-checks.ts";
import { moderationStoreChecks } from "./moderation-store-checks.ts";
import { peopleStoreChecks } from "./people-store-checks.ts";

export const boardContract: readonly StoreContractCheck[] = [
  ...boardStoreChecks,
  ...peopleStoreChecks,
  ...moderationStoreChecks,
  ...evidenceStoreChecks,
];
