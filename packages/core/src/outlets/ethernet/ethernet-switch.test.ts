// The switch: it learns, floods, forgets, and never sends a frame back.

import assert from "node:assert/strict";
import { test } from "node:test";
import { EthernetSwitch } from "./ethernet-switch.ts";

function bench(count: number) {
  const segment = new EthernetSwitch();
  const heard: string[] = [];
  const ports = Array.from({ length: count }, (_, index) =>
    segment.join({ frame: (bytes, offset) => heard.push(`${index}<${bytes[offset + 11]}`) }),
  );
  const send = (at: number, from: number, to: number | "group") => {
    const frame = new Uint8Array(60);
    frame.set(to === "group" ? [1, 0, 0x5e, 0, 0, 1] : [2, 0, 0, 0, to >> 8, to & 255]);
    frame.set([2, 0, 0, 0, from >> 8, from & 255], 6);
    heard.length = 0;
    ports[at].frame(frame, 0, 60);
    return heard.join(" ");
  };
  return { ports, send };
}

test("who is not known is looked for everywhere, who has spoken is spoken to alone", () => {
  const { send } = bench(3);
  assert.equal(send(0, 10, 11), "1<10 2<10");
  assert.equal(send(1, 11, 10), "0<11");
  assert.equal(send(0, 10, 11), "1<10");
  assert.equal(send(2, 12, "group"), "0<12 1<12");
  assert.equal(send(1, 11, 11), "", "its own address lies where it came from");
});

test("a station that moves is found at its new place; a plug that leaves is forgotten", () => {
  const { ports, send } = bench(3);
  send(0, 10, 99);
  assert.equal(send(2, 10, 99), "0<10 1<10");
  assert.equal(send(1, 11, 10), "2<11");
  ports[2].leave();
  assert.equal(send(1, 11, 10), "0<11");
  assert.equal(send(2, 10, 11), "", "what has left is not heard");
});

test("a storm of addresses does not grow its memory: the oldest are looked for again", () => {
  const { send } = bench(3);
  send(2, 10, 99);
  for (let address = 1000; address < 2100; address++) send(0, address, 10);
  assert.equal(send(0, 2000, 10), "1<208 2<208", "10 is the oldest, and forgotten");
  assert.equal(send(1, 11, 2050), "0<11");
});

test("a frame without two addresses goes nowhere", () => {
  const { ports } = bench(2);
  ports[0].frame(new Uint8Array(11), 0, 11);
});

test("what is for one cable only is not passed on: PAUSE, spanning trees, LLDP (802.1Q §8.6.3)", () => {
  const heard: number[] = [];
  const segment = new EthernetSwitch();
  const port = segment.join({ frame: () => {} });
  segment.join({ frame: (bytes, offset) => heard.push(bytes[offset + 5]) });
  for (const last of [0x00, 0x01, 0x0e, 0x0f, 0x10])
    port.frame(Uint8Array.of(0x01, 0x80, 0xc2, 0, 0, last, 2, 0, 0, 0, 0, 1, 0x88, 0x08), 0, 14);
  assert.deepEqual(heard, [0x10]);
});
