// A dext's C++ is compiled and run against the device that it asks for; where there is none, that is said.

import { compileDext } from "@drydock/dext/run/compile-dext";
import { askedRig } from "@drydock/dext/run/dext-rig";
import { runDext } from "@drydock/dext/run/dext-run";

const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

async function findingsOf(path: string): Promise<readonly string[]> {
  const dext = await compileDext([path]);
  const makeRig = ({ bundle }: Parameters<Parameters<typeof runDext>[1]>[0]) =>
    askedRig(bundle, { seed: 1, turn });
  const { findings, leaks } = await runDext(dext, makeRig, { settleNs: 1e9 });
  return [...findings, ...leaks];
}

console.log(await findingsOf("no/such/dext").catch((error: Error) => error.name));
// prints:
// NoDextError
