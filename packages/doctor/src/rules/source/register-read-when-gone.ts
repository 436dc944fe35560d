// DR14-3: a register is read where the device may be gone: in handlers, in Stop and free, in endless polls.

import type { Evidence } from "../../evidence/evidence.ts";
import { absent } from "../../facts/statement.ts";
import type { SourceCall, SourceFunction } from "../../source/source-file.ts";
import type { Syntax } from "../../source/syntax.ts";
import type { Finding, Rule } from "../rule.ts";
import { isHandler, nameOf, perFunction, sources } from "../source-questions.ts";

export const registerReadWhenGone: Rule = {
  id: "DR14-3",
  title: "A device register is read where the device may be gone",
  severity: "error",
  certainty: "established",
  source:
    "IOPCIFamily: MemoryRead32 is a plain load from the mapping; on Apple silicon a load from a dead link stops the machine",
  needs: ["source"],
  why: "MemoryRead... is a load from the device's memory with no check that the device is there. Between the moment the link dies and the moment the driver hears of it, one such read stops a machine with Apple silicon; in Stop and free the device is gone more often than not.",
  fix: [
    "Keep status, reply queues and producer indices in host memory that the device writes; doorbells are writes. Only initialisation and reset read registers.",
    "Put the reads that remain behind one accessor with a gate that Stop and the first error close.",
    "In Stop: close the gate, disable and cancel sources, complete commands from software state, close, call super; read nothing.",
    "A poll has a deadline and treats all ones as a device that is gone.",
    "`drydock explore RIG` lists, by call site, the reads that were merely lucky, and by how much each missed the dead link.",
  ],
  who: "you",
  states: absent("function", "a look for all ones"),
  judge(evidence) {
    const inside = new Map<string, string>();
    for (const file of sources(evidence)) {
      for (const one of file.functions) {
        const place = whereCalled(evidence, one);
        if (place !== null)
          for (const call of one.calls)
            if (call.receiver === null) inside.set(call.name, `${place} by way of ${nameOf(one)}`);
      }
    }
    return perFunction(evidence, (one, file) => {
      const reads = one.calls.filter((call) => isRead(call));
      if (reads.length === 0) return [];
      const place = whereCalled(evidence, one) ?? inside.get(one.name) ?? null;
      const findings: Finding[] = [];
      if (place !== null)
        findings.push({
          score: 82,
          claim: `${nameOf(one)} reads a register ${place}: ${reads[0].node.text}.`,
          because: reads.map(({ node }) => file.placeOf(node)),
          about: [one.className],
        });
      for (const loop of new Set(
        reads.map(({ node }) => node.above("for_statement", "while_statement", "do_statement")),
      )) {
        if (loop === null || !one.body.holds(loop) || isBounded(loop)) continue;
        findings.push({
          score: 80,
          claim: `${nameOf(one)} polls a register with neither a deadline nor a look for all ones.`,
          because: [file.placeOf(loop)],
          about: [one.className],
        });
      }
      return findings;
    });
  },
};

function isRead(call: SourceCall): boolean {
  return (
    /^MemoryRead(?:8|16|32|64)$/.test(call.name) &&
    !/kIOPCIAccessLatencyTolerantHint/.test(call.args[3]?.text ?? "")
  );
}

function whereCalled(evidence: Evidence, one: SourceFunction): string | null {
  if (one.name === "Stop" || one.name === "free") return `in ${one.name}`;
  if (isHandler(evidence, one, "InterruptOccurred")) return "in an interrupt handler";
  return isHandler(evidence, one, "TimerOccurred") ? "in a timer's handler" : null;
}

/** A counter, a clock or a comparison with all ones. */
function isBounded(loop: Syntax): boolean {
  if (loop.kind === "for_statement" && loop.child("condition") !== null && loop.child("update") !== null)
    return true;
  return /deadline|timeout|retr(?:y|ies)|tries|attempt|elapsed|mach_\w+_time|clock_gettime|0x[fF]{8}\b|UINT32_MAX|~0|--|\+\+/i.test(
    loop.text,
  );
}
