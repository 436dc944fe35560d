// A campaign's report for CI: a case for each kind of fault, for each rule, and for runs that nobody could make.

import { type JunitCase, writeJunit } from "@drydock/core/codec/junit/junit";
import { type CampaignReport, strikeOptions } from "@drydock/core/trials/campaign-book";

export function campaignJunit({ faults, findings, lost, rig, seed, seeds, tried }: CampaignReport): string {
  const className = `campaign ${rig}`;
  const failed = (name: string, message: string, text = message): JunitCase => ({
    className,
    name,
    failure: { message, text },
  });
  const cases: JunitCase[] = [
    ...Object.entries(faults).map(
      ([name, row]): JunitCase =>
        row.tried === row.fired
          ? { className, name, output: `${row.tried} tried, each has struck` }
          : failed(name, `${row.tried - row.fired} of ${row.tried} never struck`),
    ),
    ...findings.map(({ count, problem, rule, ...first }) =>
      failed(rule, problem, `${count} runs; again: drydock campaign run ${rig} ${strikeOptions(first)}`),
    ),
    // Nobody knows what they would have shown: that is no pass.
    ...lost.map(({ runs, why }) => failed(runs, `not run: ${why}`)),
  ];
  if (tried === 0) cases.push(failed("runs", "there were none"));
  const of = seeds === 0 ? `seed ${seed}` : `seeds ${seed} to ${seed + seeds - 1}`;
  return writeJunit([{ name: `campaign ${rig}, ${of}`, cases }]);
}
