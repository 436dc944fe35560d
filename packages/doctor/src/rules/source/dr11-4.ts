// DR11-4: queues of one name, a context that comes after its handler, sources that nobody cancels.

import type { Evidence } from "../../evidence/evidence.ts";
import { keyOf } from "../../source/syntax.ts";
import type { Finding, Rule } from "../rule.ts";
import { isDext, nameOf, perFunction, sources } from "../source-questions.ts";

export const dr11x4: Rule = {
  id: "DR11-4",
  title: "Queues and interrupt sources are set up so that reports and teardown cannot work",
  severity: "warning",
  certainty: "established",
  source: "DriverKit: IODispatchQueue and IOInterruptDispatchSource; xnu libdispatch reports queues by name",
  needs: ["source"],
  why: "Several queues of one name make a crash report unreadable and a lookup by name ambiguous. A context that is taken after SetHandler is missing when the first interrupt is quick. A source that is not cancelled before its queue goes lets its thread run into freed memory.",
  fix: [
    "Give each queue a name of its own.",
    "Fill the action's reference before SetHandler, and enable the source last.",
    "In Stop: SetEnable(false), Cancel with a handler, and release source, action and queue in that handler; then call super.",
  ],
  who: "you",
  judge(evidence) {
    return [...sameNames(evidence), ...lateContexts(evidence), ...neverCancelled(evidence)];
  },
};

function sameNames(evidence: Evidence): Finding[] {
  return perFunction(evidence, (one, file) => {
    const made = one.calls.filter(
      ({ name, scope, args }) =>
        name === "Create" && scope === "IODispatchQueue" && args[0]?.kind === "string_literal",
    );
    return made.flatMap((call, position): Finding[] => {
      const name = call.args[0].text;
      const earlier = made.findIndex((other) => other.args[0].text === name);
      const isInLoop = call.node.above("for_statement", "while_statement", "do_statement") !== null;
      if (position === earlier ? !isInLoop : false) return [];
      return [
        {
          score: 62,
          claim: `Several queues get the name ${name}.`,
          because: [file.placeOf(call.node)],
          about: [nameOf(one)],
        },
      ];
    });
  });
}

function lateContexts(evidence: Evidence): Finding[] {
  return perFunction(evidence, (one, file) => {
    const taken = one.calls.filter(({ name }) => name === "GetReference");
    return taken.flatMap((call): Finding[] => {
      const handler = one.calls.find(
        ({ name, node, args }) =>
          name === "SetHandler" &&
          node.start < call.node.start &&
          args.some((arg) => call.receiver !== null && keyOf(arg) === keyOf(call.receiver)),
      );
      if (handler === undefined) return [];
      return [
        {
          score: 58,
          claim: `The reference of ${call.receiver?.text} is filled after SetHandler: the first interrupt may come before it.`,
          because: [file.placeOf(call.node), file.placeOf(handler.node)],
          about: [nameOf(one)],
        },
      ];
    });
  });
}

/** Only where a Stop is shown can its absence be a mistake; else it is a question. */
function neverCancelled(evidence: Evidence): Finding[] {
  const files = sources(evidence).filter(isDext);
  const made = files.flatMap((file) =>
    file.functions.flatMap((one) =>
      one.calls
        .filter(({ name, scope }) => name === "Create" && scope === "IOInterruptDispatchSource")
        .map((call) => ({ file, call })),
    ),
  );
  if (made.length === 0 || files.some((file) => /\bCancel\s*\(/.test(file.text))) return [];
  const stop = files.some((file) => file.functions.some(({ name }) => name === "Stop"));
  return [
    {
      score: stop ? 66 : 35,
      claim: stop
        ? "Interrupt sources are made and never cancelled."
        : "Interrupt sources are made, and no teardown is shown: their lifetime cannot be judged.",
      because: made.map(({ file, call }) => file.placeOf(call.node)),
      ...(stop
        ? {}
        : {
            missing: [
              "Stop and free of the driver: where sources, actions and queues are cancelled and released",
            ],
          }),
    },
  ];
}
