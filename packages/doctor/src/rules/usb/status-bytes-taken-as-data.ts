// DR13-4: FTDI's two status bytes at the head of each packet are taken for data.

import type { Evidence } from "../../evidence/evidence.ts";
import type { Fact } from "../../evidence/facts.ts";
import { watch } from "../../evidence/watch.ts";
import { onceFor } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

const pattern = watch(["01 60 01 60"], /(?:\b01 60 ){2,}|\b01 60\b.{0,220}\b01 60\b/i);
const complaint = watch(["corrupt", "garbage", "garbled"], /\b(?:corrupt|garbage|garbled)/i);

export const statusBytesTakenAsData: Rule = {
  id: "DR13-4",
  title: "FTDI's two status bytes at the head of each packet are taken for data",
  severity: "error",
  certainty: "established",
  source: "FTDI AN232B-04; Linux ftdi_sio",
  needs: ["capture"],
  why: "Every IN packet of an FTDI chip, 64 or 512 bytes, begins with two status bytes, modem and line. They must be removed from each packet. A read of several packets holds them again at every multiple of the packet size, so a driver that strips two bytes per transfer delivers garbage from byte 62 (or 510) on. An idle chip sends the two bytes alone at every latency interval.",
  fix: [
    "Walk through each completed read in steps of wMaxPacketSize and drop two bytes at every step.",
    "Drop reads of two bytes: they carry no data.",
  ],
  who: "you",
  watches: [pattern, complaint],
  judge(evidence) {
    const findings: Finding[] = onceFor(evidence, pattern, () => ({
      score: 58,
      claim:
        "Bytes 01 60 come back again and again in the received data: FTDI's status bytes are not stripped.",
      missing: ["a capture of the USB traffic"],
    }));
    // The wire looks the same under a right driver: only somebody's complaint makes it an answer.
    const said = evidence.hits(complaint)[0];
    for (const reads of readsByPipe(evidence)) {
      const status = reads.filter(({ value }) => isStatus(value.data, 0));
      const long = status.find(({ value }) => value.moved > 64 && isStatus(value.data, 64));
      if (long === undefined || status.length < 3 || status.length < reads.length * 0.8) continue;
      findings.push({
        score: said === undefined ? 40 : 84,
        claim: `Each packet of a read begins with FTDI's two status bytes (this read has ${Math.ceil(long.value.moved / 64)} packets); a driver that strips them once per transfer delivers garbage from byte 62 on.`,
        because: [long.place, ...(said === undefined ? [] : [said.place])],
        missing: ["the bytes that the app received, to compare"],
      });
    }
    return findings;
  },
};

/** Completed bulk IN transfers, apart for each endpoint of each device of each capture. */
function readsByPipe(evidence: Evidence): Iterable<Fact<"transfer">[]> {
  const pipes = new Map<string, Fact<"transfer">[]>();
  for (const fact of evidence.facts("transfer")) {
    const { kind, endpoint, device, result } = fact.value;
    if (kind !== "bulk" || (endpoint & 0x80) === 0 || result !== "ok") continue;
    const key = `${fact.place.file}\n${device}.${endpoint}`;
    const reads = pipes.get(key);
    if (reads === undefined) pipes.set(key, [fact]);
    else reads.push(fact);
  }
  return pipes.values();
}

/** Modem status has 0001 in its low half; line status has no error bits. */
function isStatus(data: Uint8Array, at: number): boolean {
  return data.length >= at + 2 && (data[at] & 0x0f) === 1 && (data[at + 1] & 0x9f) === 0;
}
