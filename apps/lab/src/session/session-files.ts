// What a session can be taken away as: a capture, lanes, the registry, the trace as text.

import { shown as shownText } from "@drydock/core/base/shown-text";
import { formatRegistryTree } from "@drydock/core/platform/evidence/registry-dump";
import { writePerfetto } from "@drydock/core/trace/perfetto";
import { writeUsbPcapng } from "@drydock/core/trace/usb-pcapng";
import { UsbTraceLog } from "@drydock/core/trace/usb-trace-log";
import type { EndedRun, LabRun, RigRun } from "./lab-run.ts";
import type { FileForm } from "./messages.ts";
import { cellsOf } from "./row-cells.ts";

export interface SessionFile {
  readonly name: string;
  readonly type: string;
  readonly body: Uint8Array | string;
}

const isRig = (run: LabRun): run is RigRun => "rig" in run;

function evidenceOf(run: LabRun): EndedRun["evidence"] {
  if (isRig(run)) {
    const { failure } = run.rig.machine;
    return failure?.kind === "panic" ? failure.evidence : [];
  }
  return "evidence" in run ? (run as EndedRun).evidence : [];
}

/** Throws RangeError where the session has no such thing. */
export function writeSessionFile(session: LabRun, form: FileForm, evidence = 0): SessionFile {
  const { opening, timeline } = session;
  const stem = `drydock-${opening.what}-${opening.seed}`;
  switch (form) {
    case "pcapng":
      return {
        name: `${stem}.pcapng`,
        type: "application/octet-stream",
        body: writeUsbPcapng(new UsbTraceLog(timeline)),
      };
    case "perfetto":
      return { name: `${stem}.perfetto.json`, type: "application/json", body: writePerfetto(timeline) };
    case "registry":
      // Not by its class: in a page this is a script of its own, with another copy of that.
      if (!isRig(session)) throw new RangeError("its registry is not here: open a rig of the page");
      return {
        name: `${stem}.ioreg.txt`,
        type: "text/plain",
        body: formatRegistryTree(session.rig.machine.registry.snapshot()),
      };
    case "evidence": {
      const file = evidenceOf(session)[evidence];
      if (file === undefined) throw new RangeError(`there is no evidence file ${evidence}`);
      const body = "text" in file ? file.text : file.bytes;
      return { name: file.name, type: "application/octet-stream", body };
    }
    case "text": {
      const lines: string[] = [];
      let previousNs = 0;
      for (const row of timeline.rows()) {
        const { kind, length, place, sequence, status, timeNs, what, who } = cellsOf(
          timeline,
          row,
          previousNs,
          session,
        );
        previousNs = timeNs;
        lines.push(
          [
            sequence,
            (timeNs / 1e9).toFixed(9),
            kind,
            place,
            shownText(what, 1000),
            length ?? "",
            status,
            shownText(who, 1000),
          ].join("\t"),
        );
      }
      return { name: `${stem}.tsv`, type: "text/plain", body: `${lines.join("\n")}\n` };
    }
  }
}
