// Everything that `drydock explore` knows: the catalogue's rigs, and the drivers of cases.

import { hbaExplorables } from "@drydock/cases/P14-unplug-panic/explorables";
import { type Explorable, explorables } from "@drydock/core/trials/explorables";
import { UsageError } from "../terminal/usage-error.ts";

export const everyExplorable: readonly Explorable[] = [...explorables, ...hbaExplorables];

export function findExplorable(name: string): Explorable {
  const entry = everyExplorable.find((known) => known.name === name);
  if (entry === undefined) throw new UsageError(`there is no rig "${name}" to explore`);
  return entry;
}
