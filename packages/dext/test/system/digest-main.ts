// Prints a digest of runs of the loop dext. Arguments: its module, the first seed, how many.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { TraceHash } from "@drydock/core/base/hash";
import { hostTurn } from "@drydock/node/host-turn";
import { DextImage } from "../../src/host/dext-image.ts";
import { findDextSources } from "../../src/project/dext-sources.ts";
import { askedRig } from "../../src/run/dext-rig.ts";
import { runDext, tryUserClients } from "../../src/run/dext-run.ts";

const [module, first, count] = process.argv.slice(2);
const { entitlements, info } = findDextSources([join(dirname(import.meta.dirname), "dexts/loop")]);
const description = { image: new DextImage(new Uint8Array(readFileSync(module))), info, entitlements };
const hash = new TraceHash();
const digests = new Set<string>();
for (let seed = Number(first); seed < Number(first) + Number(count); seed++) {
  const { digest, findings } = await runDext(
    description,
    ({ bundle }) => askedRig(bundle, { seed, turn: hostTurn }),
    { settleNs: 2e8, use: async (rig) => void (await tryUserClients(rig, "org.drydock.test.loop")) },
  );
  if (findings.length > 0) throw new Error(`seed ${seed}: ${findings.join("; ")}`);
  digests.add(digest);
  hash.text(digest);
}
process.stdout.write(`${hash.digest()} ${digests.size}`);
