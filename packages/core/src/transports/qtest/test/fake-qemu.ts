// QEMU's end of a qtest or QMP connection, as a test wants it to answer.

import { Random } from "../../../base/random.ts";
import { VirtualClock } from "../../../base/virtual-clock.ts";
import type { ByteStream } from "../../../ports/byte-stream.ts";
import { memoryStreamPair } from "../../../rigs/memory-stream.ts";
import { LineStream } from "../line-stream.ts";
import { type QemuCondition, QtestClient } from "../qtest-client.ts";

/** The other end: answers each line with what `reply` says, null for silence. */
export function fakeLines(
  stream: ByteStream,
  clock: VirtualClock,
  reply: (line: string) => string | null,
): LineStream {
  const lines = new LineStream(
    stream,
    {
      line: (text) => {
        const answer = reply(text);
        if (answer !== null) lines.send(answer);
      },
      closed: () => {},
    },
    (flush) => void clock.after(0, flush, undefined),
  );
  return lines;
}

/** A qtest client and its QEMU, 1 us apart each way. */
export function qtestBench(reply: (line: string) => string | null, condition?: () => QemuCondition) {
  const clock = new VirtualClock();
  const [near, far] = memoryStreamPair({ clock, random: new Random(2), latencyNs: 1000 });
  const qemu = fakeLines(far, clock, reply);
  const deaths: string[] = [];
  const client = new QtestClient(near, clock, (reason) => deaths.push(reason), condition);
  return { clock, qemu, client, deaths };
}
