// The rig of the server over real sockets: who is let in, 50 watchers, nonsense on the wire, coming back, resuming.

import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import { after, before, test } from "node:test";
import { Random } from "@drydock/core/base/random";
import { findRig } from "@drydock/core/rigs/catalogue";
import { LabSession } from "@drydock/lab/session/lab-session";
import { plainState, type SessionState } from "@drydock/lab/session/messages";
import { makeHands } from "@drydock/lab/session/rig-hands";
import { decodeRows } from "@drydock/lab/session/row-frames";
import type { WatchedRig } from "@drydock/lab/session/watchers";
import { hostTurn } from "@drydock/node/host-turn";
import { WebSocket } from "ws";
import { LabDesk } from "./lab-desk.ts";

let server: Server;
let desk: LabDesk;
let port = 0;
let now = 0;
const entry = findRig("serial");
const built = entry?.build({ seed: 1, turn: hostTurn });

before(async () => {
  assert.ok(built !== undefined && entry !== null);
  await built.machine.run(5e8);
  server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  port = (server.address() as { port: number }).port;
  desk = new LabDesk(
    () => new Set([`localhost:${port}`]),
    () => now,
  );
  server.on("upgrade", (request, socket, head) => desk.upgrade(request, socket, head));
});
after(async () => {
  await desk.close();
  await new Promise((resolve) => server.close(resolve));
});

function rig(run: number): WatchedRig {
  if (built === undefined || entry === null) throw new Error("no rig");
  return {
    run,
    timeline: built.timeline,
    state: () => ({
      ...plainState,
      title: entry.name,
      timeNs: 0,
      boxes: [],
      acts: ["unplug", "plug"],
      command: "",
    }),
    act: (name, value) => {
      const isDone = name === "unplug" ? built.unplug(Number(value)) : built.plug(Number(value));
      return isDone ? "" : "it was so already";
    },
  };
}

interface Asked {
  readonly protocols?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly path?: string;
}

/** The status that refused it, or the open socket. */
function ask({ headers = {}, path = "/lab/socket/server", protocols }: Asked): Promise<number | WebSocket> {
  const socket = new WebSocket(
    `ws://127.0.0.1:${port}${path}`,
    [...(protocols ?? ["drydock-lab", desk.newToken() ?? ""])],
    {
      headers: { host: `localhost:${port}`, ...headers },
    },
  );
  return new Promise((resolve) => {
    socket.on("error", () => {});
    socket.once("unexpected-response", (_request, response) => {
      resolve(response.statusCode ?? 0);
      response.resume();
    });
    socket.once("open", () => resolve(socket));
  });
}

async function opened(asked: Asked = {}): Promise<WebSocket> {
  const socket = await ask(asked);
  assert.ok(socket instanceof WebSocket, String(socket));
  return socket;
}

const until = async (what: string, isTrue: () => boolean): Promise<void> => {
  for (let tries = 0; !isTrue(); tries++) {
    assert.ok(tries < 3000, what);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

test("without a rig there is no token; foreign names, foreign pages, tokens used or old or missing are refused", async () => {
  assert.equal(desk.newToken(), null);
  desk.show(rig(1));
  assert.equal(await ask({ headers: { host: "evil.example" } }), 421);
  for (const origin of ["http://evil.example", "null", `https://localhost:${port}`, "http://localhost:1"])
    assert.equal(await ask({ headers: { origin } }), 403, origin);
  assert.equal(await ask({ path: "/lab/other" }), 404);
  assert.equal(await ask({ path: "/lab/socket/server-none" }), 404);
  assert.equal(await ask({ protocols: ["drydock-lab"] }), 401, "no token");
  assert.equal(await ask({ protocols: ["drydock-lab", "a".repeat(32)] }), 401, "a token of nobody's");
  const token = desk.newToken() ?? "";
  const socket = await opened({
    protocols: ["drydock-lab", token],
    headers: { origin: `http://localhost:${port}` },
  });
  assert.equal(await ask({ protocols: ["drydock-lab", token] }), 401, "a token is good once");
  const old = desk.newToken() ?? "";
  now += 31_000;
  assert.equal(await ask({ protocols: ["drydock-lab", old] }), 401, "and not for ever");
  socket.terminate();
});

test("50 watchers, one that never reads, one of nonsense: every other one has every row", {
  timeout: 60_000,
}, async () => {
  desk.show(rig(2));
  const seen = Array.from({ length: 50 }, () => ({ rows: 0, lost: 0, closed: 0 }));
  const sockets = await Promise.all(seen.map(() => opened()));
  for (const [index, socket] of sockets.entries()) {
    socket.on("close", (code) => {
      seen[index].closed = code;
    });
    socket.on("message", (data: Buffer, isBinary) => {
      if (!isBinary) return;
      const { lost, rows } = decodeRows(new Uint8Array(data));
      seen[index].rows += rows.length;
      seen[index].lost += lost;
      if (index !== 7) socket.send('{"kind":"got"}');
    });
    socket.send('{"kind":"watch","run":0,"row":1}');
  }
  const random = new Random(8);
  sockets[9].send(Buffer.from(Array.from({ length: 200 }, () => random.next32() & 255)));
  const timeline = built?.timeline;
  assert.ok(timeline !== undefined);
  for (let round = 0; round < 20; round++) {
    built?.unplug(1);
    await built?.machine.run((built.machine.scheduler.nowNs() ?? 0) + 1e8);
    built?.plug(1);
    await built?.machine.run((built.machine.scheduler.nowNs() ?? 0) + 4e8);
  }
  const all = timeline.next - 1;
  await until("all rows are there", () =>
    seen.every(({ lost, rows }, index) => index === 7 || index === 9 || rows + lost === all),
  );
  assert.equal(seen[9].closed, 1008, "nonsense ended its own connection");
  assert.equal(sockets[0].readyState, WebSocket.OPEN);
  // A frame longer than any message, a text that is no UTF-8, a head that is none: only theirs ends.
  const broken = await opened();
  broken.send("x".repeat(20_000));
  await until("it was ended", () => broken.readyState === WebSocket.CLOSED);
  for (const socket of sockets) socket.terminate();
  await until("nobody is left", () => desk.watcherCount === 0);
});

test("a session that watches: rows, acts, a server that goes and comes back, and the row after the last", {
  timeout: 60_000,
}, async () => {
  desk.show(rig(3));
  let state: SessionState | null = null;
  let sockets = 0;
  let isUp = true;
  let current: WebSocket | null = null;
  const session = new LabSession({
    turn: hostTurn,
    now: () => performance.now(),
    pause: (milliseconds) => new Promise((resolve) => setTimeout(resolve, Math.min(milliseconds, 20))),
    send: (message) => {
      if (message.kind === "state") state = message.state;
    },
    hands: makeHands,
    playEnded: null,
    findRig: () => null,
    later: () => Promise.reject(new Error("nobody asks")),
    connect: async () => {
      if (!isUp) throw new Error("no rig runs");
      const socket = await opened();
      sockets++;
      current = socket;
      return {
        send: (text) => socket.send(text),
        onMessage: (take) => {
          socket.on("message", (data: Buffer, isBinary) =>
            take(isBinary ? new Uint8Array(data) : String(data)),
          );
          socket.on("close", () => take(null));
        },
      };
    },
  });
  await session.take({
    kind: "open",
    number: 1,
    opening: { what: "server", side: "bad", seed: 1, faults: [], isRunning: true },
  });
  const held = (): SessionState => {
    if (state === null) throw new Error("it says nothing");
    return state;
  };
  const timeline = built?.timeline;
  assert.ok(timeline !== undefined);
  await until("all rows came", () => held().next === timeline.next);
  assert.deepEqual(held().acts, ["unplug", "plug"]);
  await session.take({ kind: "act", act: { name: "unplug", value: "1" } });
  await until("the cable is pulled", () => built?.usb?.bus.isOccupied(1) === false);
  isUp = false;
  (current as WebSocket | null)?.terminate();
  await until("it is noticed", () => held().mode === "stopped");
  await built?.machine.run((built.machine.scheduler.nowNs() ?? 0) + 1e8);
  isUp = true;
  await until("it came back", () => held().mode === "running" && held().next === timeline.next);
  assert.equal(held().lost, 0, "nothing was lost between");
  assert.equal(sockets, 2);
  session.end();
  (current as WebSocket | null)?.terminate();
});
