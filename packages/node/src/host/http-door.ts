// The door of an HTTP server: let in at a rate, silent ones make room, who asks ahead waits his turn.

import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import type { Socket } from "node:net";
import { Admission } from "./admission.ts";
import { watchStorms } from "./after-storm.ts";
import { closeAfterEarlyAnswer, lingerOver } from "./early-answer.ts";
import { type Asker, RequestTurns } from "./request-turns.ts";
import { limitSendRoom, readySendRoom } from "./send-room.ts";

/** Connections at once: a browser has six. Beyond them the one that has asked for nothing for longest goes. */
const socketMaximum = 2048;
/** A page costs a millisecond or two: so many a second may ask for their first. */
const pace = { atOnce: 1, everyMs: 6 };
/** More than so many are a crowd. */
const crowdedSockets = 32;

class Connection implements Asker {
  readonly socket: Socket;
  request: IncomingMessage | null = null;
  last: ServerResponse | null = null;

  constructor(socket: Socket) {
    this.socket = socket;
    lingerOver(socket, () => this.request);
  }

  get isBusy(): boolean {
    return this.last !== null && !this.last.writableEnded;
  }

  get isUnread(): boolean {
    return this.socket.writableLength > 0;
  }
}

/** An HTTP server that does not listen yet. Everything of `node:http` holds, `upgrade` too. */
export function createHttpServer(answer: RequestListener): Server {
  const turns = new RequestTurns<Connection>();
  const connections = new Map<Socket, Connection>();
  /** Those that wait for nothing, longest first. */
  const idle = new Set<Socket>();
  const server = createServer((request, response) => {
    const { socket } = request;
    const connection = connections.get(socket);
    if (connection === undefined) return;
    idle.delete(socket);
    const isTaken = turns.asked(connection, () => {
      connection.request = request;
      connection.last = response;
      closeAfterEarlyAnswer(request, response);
      answer(request, response);
    });
    if (!isTaken) socket.destroy();
    response.once("close", () => {
      if (!socket.destroyed) idle.add(socket);
    });
  });
  readySendRoom();
  // What Node does with a connection, once it is let in.
  const [begin] = server.listeners("connection") as ((socket: Socket) => void)[];
  const door = new Admission<Socket>({
    pace,
    letIn: (socket) => {
      if (connections.size > crowdedSockets) limitSendRoom(socket);
      begin.call(server, socket);
      socket.resume();
    },
    turnAway: (socket) => socket.destroy(),
  });
  server.removeAllListeners("connection");
  watchStorms(server);
  // As with net.createServer's option, which http's does not hand on: nothing is read before it is let in.
  Object.assign(server, { pauseOnConnect: true });
  server.on("connection", (socket) => {
    if (connections.size >= socketMaximum) {
      const [longest] = idle;
      (longest ?? socket).destroy();
      if (longest === undefined) return;
    }
    const connection = new Connection(socket);
    connections.set(socket, connection);
    idle.add(socket);
    // A reset while it waits is no event for anybody.
    socket.on("error", () => {});
    socket.once("close", () => {
      connections.delete(socket);
      idle.delete(socket);
      door.left(socket);
      turns.left(connection);
    });
    door.came(socket);
  });
  server.on("close", () => door.close());
  return server;
}
