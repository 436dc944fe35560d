// A process of attackers: `node attackers.ts PLACE PROTOCOL ATTACK COUNT`, until its standard input ends.

import type { Socket } from "node:net";
import { board } from "./board.ts";
import { iscsi } from "./iscsi.ts";
import { nbd, nbdTls, nbdUnix } from "./nbd.ts";
import { rfc2217 } from "./rfc2217.ts";
import { usbip } from "./usbip.ts";
import { usbredir } from "./usbredir.ts";
import { type Peer, Wire } from "./wire.ts";

export const peers = {
  nbd,
  "nbd-unix": nbdUnix,
  "nbd-tls": nbdTls,
  iscsi,
  usbip,
  usbredir,
  rfc2217,
  board,
} as const satisfies Record<string, Peer>;
export type Protocol = keyof typeof peers;
/** Says nothing; half of what it has to say; noise; asks for much and reads nothing. */
export const attacks = ["silent", "half", "noise", "glutton"] as const;
export type Attack = (typeof attacks)[number];

const againMs = 100;

/** Keeps one hostile connection open, and opens it again when it is closed. Answers how to end it. */
function hold(place: number | string, peer: Peer, attack: Attack, index: number): () => void {
  let isOver = false;
  let socket: Socket | null = null;
  const again = (): void => {
    if (isOver) return;
    const wire = new Wire(place);
    socket = wire.socket;
    socket.on("close", () => setTimeout(again, againMs));
    const name = `x${index}`;
    const opening = peer.opening(name);
    if (attack === "half" && peer.falter !== undefined) peer.falter(wire).catch(() => wire.socket.destroy());
    else if (attack === "half")
      wire.say(opening.subarray(0, opening.length - Math.min(5, opening.length >> 1)));
    else if (attack === "noise") {
      const bytes = Buffer.alloc(512);
      for (let at = 0; at < bytes.length; at++) bytes[at] = (Math.imul(at + index, 2654435761) >>> 24) & 0xff;
      wire.say(bytes);
    } else if (attack === "glutton")
      peer.gorge(wire, name).then(
        () => wire.socket.pause(),
        () => wire.socket.destroy(),
      );
  };
  again();
  return () => {
    isOver = true;
    socket?.destroy();
  };
}

if (process.argv.length === 6 && import.meta.filename === process.argv[1]) {
  const [place, protocol, attack, count] = process.argv.slice(2);
  const ends = Array.from({ length: Number(count) }, (_, index) =>
    hold(/^\d+$/.test(place) ? Number(place) : place, peers[protocol as Protocol], attack as Attack, index),
  );
  process.stdout.write("attacking\n");
  process.stdin.resume();
  process.stdin.on("end", () => {
    for (const end of ends) end();
    process.exit(0);
  });
}
