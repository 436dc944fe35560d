// DR02-4: a read-only mapping of memory that is about to be written.

import { addressOf, bare, type SourceFunction } from "../../source/source-file.ts";
import { keyOf, type Syntax } from "../../source/syntax.ts";
import type { Finding, Rule } from "../rule.ts";
import { nameOf, perFunction } from "../source-questions.ts";

export const readOnlyMapWritten: Rule = {
  id: "DR02-4",
  title: "Memory is mapped read-only and then written",
  severity: "warning",
  certainty: "established",
  source:
    "xnu IOUserServer and IOMemoryDescriptor: read-only is applied unless the calling task created the descriptor",
  needs: ["source"],
  why: "kIOMemoryMapReadOnly is ignored for the task that created the descriptor, and applied for everybody else: for a buffer that a family made, the first store faults. The direction of the buffer says what the device does with it, not what the driver may do.",
  fix: [
    "Map with options 0.",
    "For a buffer that is sent to the device, use its own GetAddressRange instead of a second mapping.",
  ],
  who: "you",
  judge(evidence) {
    return perFunction(evidence, (one, file) =>
      one.calls.flatMap((call): Finding[] => {
        if (call.name !== "CreateMapping" || !call.args[0]?.text.includes("kIOMemoryMapReadOnly")) return [];
        const map = addressOf(call.args.at(-1));
        const store = map === null ? null : storeThrough(one, map, call.node.end);
        const sent = call.receiver !== null && isSentToDevice(one, keyOf(call.receiver));
        if (store === null && !sent) return [];
        return [
          {
            score: store === null ? 70 : 85,
            claim:
              store === null
                ? `${call.receiver?.text} is filled for the device (direction Out) but mapped read-only.`
                : `${map} is a read-only mapping, and the function writes through it.`,
            because: [file.placeOf(call.node), ...(store === null ? [] : [file.placeOf(store)])],
            about: [nameOf(one)],
          },
        ];
      }),
    );
  },
};

/** The first store to memory whose address came from this mapping. */
function storeThrough(one: SourceFunction, map: string, after: number): Syntax | null {
  const names = new Set([map]);
  for (let before = 0; before !== names.size; ) {
    before = names.size;
    for (const node of one.body.all("init_declarator", "assignment_expression")) {
      const left = node.child(node.kind === "init_declarator" ? "declarator" : "left");
      const value = node.child(node.kind === "init_declarator" ? "value" : "right");
      if (left === null || value === null || /[[>.]/.test(left.text)) continue;
      if ([...names].some((name) => new RegExp(`\\b${name.replace(/\W/g, "\\$&")}\\b`).test(value.text)))
        names.add(left.text.replace(/^[\s*&]+/, ""));
    }
  }
  names.delete(map);
  const isOurs = (node: Syntax | null | undefined) =>
    node !== null && node !== undefined && names.has(keyOf(bare(node)));
  for (const node of one.body.walk()) {
    if (node.start < after) continue;
    if (node.kind === "assignment_expression") {
      const left = node.child("left");
      if (
        left === null ||
        !["pointer_expression", "subscript_expression", "field_expression"].includes(left.kind)
      )
        continue;
      if (isOurs(left.child("argument"))) return node;
    } else if (node.kind === "call_expression" && /^(?:memcpy|memmove|memset|bzero)\b/.test(node.text)) {
      if (isOurs(node.child("arguments")?.children[0])) return node;
    }
  }
  return null;
}

function isSentToDevice(one: SourceFunction, buffer: string): boolean {
  return one.calls.some(
    ({ name, args }) =>
      /^Create(?:IOBuffer)?$/.test(name) &&
      args[0]?.text === "kIOMemoryDirectionOut" &&
      addressOf(args.at(-1)) === buffer,
  );
}
