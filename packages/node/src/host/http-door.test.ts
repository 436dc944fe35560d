// The HTTP door: pipelined requests are answered in order, one that asks for too much is let go, silence makes room.

import assert from "node:assert/strict";
import { once } from "node:events";
import type { Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { test } from "node:test";
import { createHttpServer } from "./http-door.ts";

async function open(): Promise<Server> {
  const server = createHttpServer((request, response) => {
    setImmediate(() => response.end(`<${request.url}>`));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

function client(server: Server): Socket {
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  // What the server does to it is what the test looks at.
  socket.on("error", () => {});
  return socket;
}

const ask = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

async function answers(socket: Socket, count: number): Promise<string[]> {
  let text = "";
  for await (const bytes of socket) {
    text += String(bytes);
    const found = text.match(/<[^>]*>/g) ?? [];
    if (found.length >= count) return found;
  }
  return text.match(/<[^>]*>/g) ?? [];
}

async function close(server: Server): Promise<void> {
  server.close();
  server.closeAllConnections();
  await once(server, "close");
}

test("twenty requests in one piece are answered, in the order in which they were asked", async () => {
  const server = await open();
  try {
    const socket = client(server);
    const paths = Array.from({ length: 20 }, (_, index) => `/${index}`);
    socket.write(paths.map(ask).join(""));
    assert.deepEqual(
      await answers(socket, 20),
      paths.map((path) => `<${path}>`),
    );
  } finally {
    await close(server);
  }
});

test("two hundred requests in one piece end their connection; the next client is served", async () => {
  const server = await open();
  try {
    const greedy = client(server);
    greedy.write(ask("/").repeat(200));
    greedy.resume();
    await once(greedy, "close");
    const honest = client(server);
    honest.write(ask("/after"));
    assert.deepEqual(await answers(honest, 1), ["</after>"]);
  } finally {
    await close(server);
  }
});

test("a connection that waits at the door is read when it comes in: 100 at once are all served", async () => {
  const server = await open();
  try {
    const sockets = Array.from({ length: 100 }, () => client(server));
    for (const socket of sockets) socket.write(ask("/crowd"));
    const served = await Promise.all(sockets.map((socket) => answers(socket, 1)));
    assert.deepEqual(
      served,
      served.map(() => ["</crowd>"]),
    );
  } finally {
    await close(server);
  }
});

test("who is refused before he has sent all hears why, though he never stops to listen", async () => {
  const server = createHttpServer((_request, response) => {
    response.writeHead(413, { connection: "close" });
    response.end("<too large>");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    for (let turn = 0; turn < 20; turn += 1) {
      const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
      socket.write(`POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${4 << 20}\r\n\r\n`);
      socket.write(Buffer.alloc(4 << 20));
      let heard = "";
      for await (const bytes of socket) heard += String(bytes);
      assert.match(heard, /^HTTP\/1\.1 413 .*<too large>/s);
    }
    const endless = connect({ port: (server.address() as AddressInfo).port, allowHalfOpen: true });
    endless.on("error", () => {});
    endless.write("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
    const piece = () => endless.writable && endless.write(`10000\r\n${"x".repeat(65_536)}\r\n`, piece);
    piece();
    await new Promise((resolve) => endless.resume().once("close", resolve));
  } finally {
    await close(server);
  }
});
