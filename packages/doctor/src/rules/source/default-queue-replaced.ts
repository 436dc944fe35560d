// FX-DEFAULT-QUEUE: a network driver replaces the queue "Default", which is the framework's.

import type { Finding, Rule } from "../rule.ts";
import { nameOf, perFunction, sources } from "../source-questions.ts";

export const defaultQueueReplaced: Rule = {
  id: "FX-DEFAULT-QUEUE",
  title: "A network driver replaces the framework's queue Default",
  severity: "warning",
  certainty: "likely",
  source: "recorded by the author of a working public network driver after the crash; not documented",
  needs: ["source"],
  why: 'IOUserNetworkEthernet puts a queue of its own under the name "Default" in Start and cancels it in Stop. With another queue in its place Stop crashed in one project: a read near address 10h in Stop_Impl.',
  fix: [
    'Leave "Default" alone, and put queues of your own under the names of the framework\'s methods (QUEUENAME).',
  ],
  who: "you",
  judge(evidence) {
    const all = sources(evidence).flatMap(({ classes }) => classes);
    const isNetwork = (name: string): boolean => {
      const seen = new Set<string>();
      const visit = (own: string): boolean => {
        if (/^IOUserNetwork/.test(own)) return true;
        if (seen.has(own)) return false;
        seen.add(own);
        return all.filter((other) => other.name === own).some(({ bases }) => bases.some(visit));
      };
      return visit(name);
    };
    return perFunction(evidence, (one, file) =>
      one.calls.flatMap((call): Finding[] => {
        if (
          call.name !== "SetDispatchQueue" ||
          !/^(?:"Default"|kIOServiceDefaultQueueName)$/.test(call.args[0]?.text ?? "")
        )
          return [];
        if (!isNetwork(one.className)) return [];
        return [
          {
            score: 58,
            claim: `${nameOf(one)} replaces the queue "Default", which is the framework's own in IOUserNetworkEthernet: Stop may crash.`,
            because: [file.placeOf(call.node)],
            about: [one.className],
          },
        ];
      }),
    );
  },
};
