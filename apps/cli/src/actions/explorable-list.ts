// Everything that `drydock explore` knows: the catalogue's rigs, and the drivers of cases.

import { hbaExplorables } from "@drydock/cases/P14-unplug-panic/explorables";
import { type Explorable, explorableOf, explorables } from "@drydock/core/trials/explorables";
import { UsageError } from "../terminal/usage-error.ts";
import { isRigFile, loadRigFile } from "./rig-file.ts";

export const everyExplorable: readonly Explorable[] = [...explorables, ...hbaExplorables];

/** By name, or by the file of a rig of the user's. */
export async function findExplorable(name: string): Promise<Explorable> {
  if (isRigFile(name)) return explorableOf(await loadRigFile(name), name);
  const entry = everyExplorable.find((known) => known.name === name);
  if (entry === undefined) throw new UsageError(`there is no rig "${name}" to explore`);
  return entry;
}
