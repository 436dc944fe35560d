// DR08-2: vendor commands end with GOOD and nobody leaves the bus.

import { isVendorCommand, type WireCommand } from "@drydock/core/dissect/storage-wire";
import type { Evidence } from "../../evidence/evidence.ts";
import { watch } from "../../evidence/watch.ts";
import type { Place } from "../../facts/evidence-source.ts";
import { onceFor } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

const accepted = watch(
  ["relink"],
  /\brelink\w*\b.{0,120}\b(?:success\w*|GOOD|kIOReturnSuccess|0x0+)\b|\b(?:success|succeeded|GOOD)\b.{0,80}\brelink/i,
);
const readCapacity10 = 0x25;
const readCapacity16 = 0x9e;

function isCapacityZero({ cdb, data, status }: WireCommand): boolean {
  const isAsked = cdb[0] === readCapacity10 || (cdb[0] === readCapacity16 && (cdb[1] & 0x1f) === 0x10);
  return (
    isAsked &&
    status === 0 &&
    data !== null &&
    data.moved >= 8 &&
    data.answer.subarray(0, 8).every((byte) => byte === 0)
  );
}

/** Programs with a user client anywhere below a SCSI nub, by a registry dump. */
function openClients(evidence: Evidence): { readonly creator: string; readonly place: Place }[] {
  return evidence.facts("registry-entry").flatMap(({ value }) => {
    const creator = value.properties.IOUserClientCreator;
    const isBelow = value.parents.some(({ className }) => className.startsWith("IOSCSI"));
    return typeof creator === "string" && isBelow
      ? [{ creator, place: value.placeOf("IOUserClientCreator") }]
      : [];
  });
}

export const relinkNotCarriedOut: Rule = {
  id: "DR08-2",
  title: "The relink was accepted, and not carried out",
  severity: "error",
  certainty: "likely",
  source: "USB 2.0 section 7.1.7.3; SAM-5 unit attentions; IOSCSIArchitectureModelFamily",
  needs: ["capture", "log", "registry dump"],
  why: "After a relink a drive is usable when the host reads it anew: because it left the bus and came back, because of a unit attention, or because the host reset it. A bridge that was kept busy (a client that has the unit open, a mounted volume, somebody who polls), or whose relink met the error recovery of the host, does none of these, and its capacity stays 0.",
  fix: [
    "Send nothing after the relink until the drive has left; polling keeps the link busy.",
    "Close every client first: ioreg -l shows IOUserClientCreator on the nub; unmount the volumes.",
    "Give the relink command a timeout longer than the relink takes, and take the loss of the device for success.",
    "If it does not leave within the deadline, reset the port (re-enumerate the device), then read INQUIRY and READ CAPACITY anew.",
  ],
  who: "you",
  watches: [accepted],
  judge(evidence) {
    const all = evidence.facts("scsi-command");
    const findings: Finding[] = [];
    const holders = openClients(evidence);
    const held =
      holders.length === 0 ? "" : ` ${holders.map(({ creator }) => creator).join(", ")} has the unit open.`;
    let hasVendorCommands = false;
    // Each capture has addresses of its own.
    for (const file of new Set(all.map(({ place }) => place.file))) {
      const commands = all.filter(({ place }) => place.file === file);
      const last = commands.findLastIndex(({ value }) => isVendorCommand(value.command));
      if (last < 0) continue;
      hasVendorCommands = true;
      const { device, name, status } = commands[last].value.command;
      if (status !== 0) continue;
      const after = commands.slice(last + 1).map(({ place, value }) => ({ place, command: value.command }));
      const hasLeft = after.some(({ command }) => command.device !== device);
      const zero = after.find(({ command }) => command.device === device && isCapacityZero(command));
      if (hasLeft || zero === undefined) continue;
      findings.push({
        score: 92,
        claim: `The last vendor command (${name}) ended with GOOD, the device did not leave the bus in the ${after.length} commands that followed, and its capacity is still 0: the relink was accepted, not carried out.${held}`,
        because: [commands[last].place, zero.place, ...holders.map(({ place }) => place)],
        missing: holders.length > 0 ? [] : ["who else has the unit open: ioreg -l around the SCSI nub"],
      });
    }
    // A capture with the commands in it knows better than words.
    if (hasVendorCommands) return findings;
    return onceFor(evidence, accepted, () => ({
      score: holders.length > 0 ? 76 : 60,
      claim: `The relink command was reported as successful. That says it was accepted; whether the drive left and came back has to be seen.${held}`,
      missing: ["a capture of the USB traffic, or the log of the following seconds with detach and attach"],
    }));
  },
};
