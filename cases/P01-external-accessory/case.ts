// P01: an app and an accessory that it may not talk to, and the session layer that the only sample does not show.

import { framed } from "@drydock/core/codec/framed-messages";
import { formatPlist } from "@drydock/core/platform/evidence/plist-text";
import type { CaseOptions, CaseRun, DriverCase, Side } from "../driver-case.ts";
import { accessoryBench, echoProtocol, message, sameBytes } from "./accessory-bench.ts";
import { CarelessApp } from "./bad-driver.ts";
import { SessionApp } from "./good-driver.ts";

export const messageCount = 100;
/** Long enough for a hundred messages in pieces of 17 bytes. */
const patienceNs = 60e9;

/** Every message with its length before it: 4 KiB and a little. */
export function wholeExchange(): Uint8Array {
  const parts = Array.from({ length: messageCount }, (_, index) => framed(message(index)));
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Messages that came back as they went out. */
export function countRight(messages: readonly Uint8Array[]): number {
  return messages.filter((bytes, index) => index < messageCount && sameBytes(bytes, message(index))).length;
}

async function run(side: Side, options: CaseOptions): Promise<CaseRun> {
  // The wrong app names one protocol in its Info.plist and opens another.
  const declared = side === "bad" ? ["org.drydock.control"] : ["org.drydock.control", echoProtocol];
  const bench = accessoryBench(options, declared, { segmentBytes: 17 });
  const { manager, rig } = bench;
  let messages: readonly Uint8Array[];
  if (side === "bad") messages = new CarelessApp(bench, wholeExchange()).messages;
  else {
    const app = new SessionApp(bench);
    app.onSession = () => {
      for (let index = 0; index < messageCount; index++) app.send(message(index));
    };
    messages = app.messages;
  }
  await rig.machine.scheduler.run(patienceNs, () => messages.length >= messageCount);
  const right = countRight(messages);
  const [refusal] = manager.refusals;
  return {
    succeeded: right === messageCount,
    result:
      refusal === undefined
        ? `${right} of ${messageCount} messages came back as they were sent`
        : `no session with ${refusal.protocol}: ${refusal.reason}`,
    trace: rig.usb.trace,
    timeline: rig.timeline,
    log: rig.machine.log.show(),
    evidence: [
      {
        name: "Info.plist",
        text: formatPlist({
          CFBundleIdentifier: "org.drydock.gauge",
          CFBundleName: "GaugeApp",
          UISupportedExternalAccessoryProtocols: declared,
        }),
      },
    ],
  };
}

export const externalAccessoryCase: DriverCase = {
  id: "P01",
  title: "External Accessory",
  symptom:
    "A licensed accessory is there, its protocols are listed, and the app gets no session; the only sample is from 2016.",
  cause:
    "A session is given only for protocols that the app's Info.plist names letter by letter; the streams have space in small pieces and no message boundaries.",
  describeRequests: [],
  run,
};
