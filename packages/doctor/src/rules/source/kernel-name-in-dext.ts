// DR06-1: names of the kernel's own C++ runtime in a driver extension.

import { kextNames } from "../../source/driverkit-names.ts";
import type { SourceFile } from "../../source/source-file.ts";
import type { Rule } from "../rule.ts";
import { isDext, perSource } from "../source-questions.ts";

export const kernelNameInDext: Rule = {
  id: "DR06-1",
  title: "A name of kernel extensions is used in a driver extension",
  severity: "error",
  certainty: "established",
  source:
    "libkern/c++/OSMetaClass.h and IOKit headers of the Kernel framework; DriverKit/OSMetaClass.h defines none of them",
  needs: ["source"],
  why: "The name belongs to the Kernel framework and does not exist in DriverKit. A DriverKit class is declared in an .iig file, from which the interface compiler makes header, class description and dispatch code; queues and dispatch sources take the place of work loops and event sources.",
  fix: [
    "Declare the class in an .iig file of its own name, take the macro out, and include the generated header in the .cpp.",
    "Replace each name by DriverKit's: IOWorkLoop by IODispatchQueue, IOCommandGate by DispatchSync or RunAction, IOTimerEventSource by IOTimerDispatchSource, IOInterruptEventSource by IOInterruptDispatchSource, IOSimpleLock by IOLock.",
  ],
  who: "you",
  judge(evidence) {
    return perSource(evidence, (file) =>
      isDext(file)
        ? [...kextUses(file)].map(([name, nodes]) => ({
            score: 92,
            claim: `${name} is a name of kernel extensions; DriverKit has ${kextNames[name] ?? "another way"}.`,
            because: nodes.map((node) => file.placeOf(node)),
            about: [name],
          }))
        : [],
    );
  },
};

/** Name -> where it is used. */
function kextUses(file: SourceFile): Map<string, { readonly start: number }[]> {
  const found = new Map<string, { readonly start: number }[]>();
  const add = (name: string, node: { readonly start: number }) => {
    found.set(name, [...(found.get(name) ?? []), node]);
  };
  for (const annotation of file.annotations)
    if (/Structors/.test(annotation.name)) add(annotation.name, annotation);
  for (const node of file.root.all("type_identifier", "namespace_identifier")) {
    if (Object.hasOwn(kextNames, node.text)) add(node.text, node);
  }
  for (const one of file.functions) {
    for (const call of one.calls) {
      if (call.name === "getProvider" && call.receiver === null && call.args.length === 0)
        add("getProvider", call.node);
      if (call.scope === "super" && ["start", "probe", "stop"].includes(call.name))
        add(`super::${call.name}`, call.node);
    }
  }
  return found;
}
