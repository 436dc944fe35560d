// Frames on a cable as rows of the timeline, and as a capture of link type 1.

import type { Clock } from "../base/clock.ts";
import { describeFrame } from "../codec/ethernet/ethernet.ts";
import { linkTypeEthernet, PcapngWriter } from "../codec/pcapng/pcapng.ts";
import type { FrameTaker } from "../ports/ethernet.ts";
import { TimelineKind } from "../ports/recorder.ts";
import type { Timeline, TimelineRow } from "./timeline.ts";

/** Fields of a row: which way the frame went, and its length; its bytes are the row's. */
const EthernetRow = { out: 0, in: 1 } as const;

export interface EthernetTraceOptions {
  readonly clock: Clock;
  readonly timeline: Timeline;
  /** Which cable, in a word or two: "cable 1". */
  readonly name: string;
}

/** Both directions of a cable: the same type in and out. `out` leads from the adapter to the far end. */
export function withEthernetTrace(
  direction: "out" | "in",
  taker: FrameTaker,
  { clock, name, timeline }: EthernetTraceOptions,
): FrameTaker {
  const way = EthernetRow[direction];
  timeline.reads([TimelineKind.ethernet], ethernetRowText);
  return {
    frame: (bytes, offset, length) => {
      const row = timeline.add(
        ...([TimelineKind.ethernet, clock.nowNs(), clock.cause, name] as const),
        ...([way, length, 0, 0, 0, null, 0] as const),
        ...([bytes, offset, length] as const),
      );
      const { cause } = clock;
      clock.cause = row;
      taker.frame(bytes, offset, length);
      clock.cause = cause;
    },
  };
}

/** "cable 1 out: 02:.. > ff:.. ARP request, 60 bytes". */
export function ethernetRowText({ bytes, fields, text }: TimelineRow): string {
  return `${text} ${fields[0] === EthernetRow.in ? "in" : "out"}: ${describeFrame(bytes)}`;
}

/** The frames of a timeline as a capture; each packet says which way it went. Empty: nothing was recorded. */
export function writeEthernetPcapng(timeline: Timeline): {
  readonly bytes: Uint8Array;
  readonly rows: number;
} {
  const writer = new PcapngWriter("drydock");
  writer.addInterface(linkTypeEthernet);
  let rows = 0;
  for (const row of timeline.rows(undefined, [TimelineKind.ethernet])) {
    const way = row.fields[0] === EthernetRow.in ? "to the adapter" : "from the adapter";
    writer.addPacket(0, row.timeNs, row.bytes, [`${row.text}: ${way}`]);
    rows++;
  }
  return { bytes: writer.finish(), rows };
}
