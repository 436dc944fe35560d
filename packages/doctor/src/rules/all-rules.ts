// Every rule there is. Made by `npm run new -- catalogue` from the folders; not edited by hand.

import { dr15x1 } from "./power/dr15-1.ts";
import { dr20x1 } from "./user-client/dr20-1.ts";
import type { Rule } from "./rule.ts";

/** In the order of their ids. */
export const allRules: readonly Rule[] = [
  dr15x1,
  dr20x1,
];
