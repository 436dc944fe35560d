// An exploration for CI: annotations, and JUnit's XML.

import { type JunitCase, writeJunit } from "@drydock/core/codec/junit/junit";
import { annotationLine } from "@drydock/core/codec/workflow-command/workflow-command";
import {
  describeTrial,
  type ExploreState,
  type ExploreTrial,
  trialOptions,
} from "@drydock/core/trials/explore";
import { describeLuckyRead } from "@drydock/core/trials/lucky-reads";

interface Finding {
  readonly level: "error" | "warning";
  readonly title: string;
  readonly text: string;
}

/** Every reason of exit code 1; of very many failures those that the state keeps, and how many more there are. */
function findingsOf({ failed, failures, lucky, rig, seed }: ExploreState): Finding[] {
  const again = (trial: ExploreTrial): string =>
    `again: drydock explore ${rig} --seed ${seed} ${trialOptions(trial)}`;
  const more = failed - failures.length;
  return [
    ...failures.map(({ problems, trial }) => ({
      level: "error" as const,
      title: trial.wayOut === null ? `unplugged at ${describeTrial(trial)}` : describeTrial(trial),
      text: [...problems, again(trial)].join("\n"),
    })),
    ...(more > 0
      ? [{ level: "error" as const, title: "more trials", text: `${more} more trials failed` }]
      : []),
    ...lucky.map((site) => ({
      level: "warning" as const,
      title: "lucky read",
      text: `${describeLuckyRead(site)}, ${site.times} times in all\n${again(site.trial)}`,
    })),
  ];
}

export function explorationAnnotations(state: ExploreState): string {
  return findingsOf(state)
    .map(({ level, text, title }) =>
      annotationLine({ level, title: `${state.rig}: ${title}`, message: text }),
    )
    .join("");
}

export function explorationJunit(state: ExploreState): string {
  const { failed, next, rig, seed, trials } = state;
  const cases: JunitCase[] = findingsOf(state).map(({ text, title }) => ({
    className: rig,
    name: title,
    failure: { message: text.split("\n")[0], text },
  }));
  const well = next - 1 - failed;
  cases.push({ className: rig, name: `${well} of ${trials} trials leave nothing behind` });
  if (next <= trials)
    cases.push({ className: rig, name: "the rest", skipped: `${trials - next + 1} trials were not made` });
  return writeJunit([{ name: `drydock explore ${rig} --seed ${seed}`, cases }]);
}
