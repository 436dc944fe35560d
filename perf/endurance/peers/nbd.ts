// A small NBD client: EXPORT_NAME, simple replies; over TCP, a Unix socket, or TLS.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { Peer, Session, Wire } from "./wire.ts";

function option(kind: number, data: Buffer): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.write("IHAVEOPT", 0, "latin1");
  bytes.writeUInt32BE(kind, 8);
  bytes.writeUInt32BE(data.length, 12);
  return Buffer.concat([bytes, data]);
}

const flags = Buffer.from([0, 0, 0, 3]);
const exportName = option(1, Buffer.from("disk"));
const startTls = option(5, Buffer.alloc(0));
const greetingBytes = 18;
const optionReplyBytes = 20;
const exportBytes = 10;

function request(kind: number, length: number): Buffer {
  const header = Buffer.alloc(28);
  header.writeUInt32BE(0x25609513, 0);
  header.writeUInt16BE(kind, 6);
  header.writeUInt32BE(length, 24);
  return header;
}

async function session(wire: Wire): Promise<Session> {
  await wire.take(exportBytes);
  return {
    ask: async () => {
      wire.say(request(0, 4096));
      const reply = await wire.take(16);
      if (reply.readUInt32BE(4) !== 0) throw new Error(`error ${reply.readUInt32BE(4)}`);
      await wire.take(4096);
    },
    close: () => {
      wire.socket.end(request(2, 0));
    },
  };
}

function gorge(_opened: Session, wire: Wire): void {
  for (let count = 0; count < 16; count++) wire.say(request(0, 1 << 20));
}

export const nbd: Peer = {
  command: ["disk", "serve", "--size", "64M"],
  placeOf: ({ port }) => Number(port),
  isForOne: false,
  lawful: [],
  opening: () => Buffer.concat([flags, exportName]),
  open: async (wire) => {
    await wire.take(greetingBytes);
    wire.say(Buffer.concat([flags, exportName]));
    return session(wire);
  },
  gorge: async (wire, name) => gorge(await nbd.open(wire, name), wire),
};

export const nbdUnix: Peer = {
  ...nbd,
  where: (home) => ["--unix", join(home, "disk.sock")],
  placeOf: ({ uris }) => new URL((uris as string[])[0]).searchParams.get("socket") ?? "",
};

async function secure(wire: Wire): Promise<void> {
  await wire.take(greetingBytes);
  wire.say(Buffer.concat([flags, startTls]));
  const reply = await wire.take(optionReplyBytes);
  if (reply.readUInt32BE(12) !== 1) throw new Error(`STARTTLS: reply ${reply.readUInt32BE(12)}`);
}

export const nbdTls: Peer = {
  ...nbd,
  where: (home) => {
    const [certificate, key] = [join(home, "certificate.pem"), join(home, "key.pem")];
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    const made = ["-subj", "/CN=localhost", "-days", "2", "-out", certificate, "-keyout", key];
    const { status, stderr } = spawnSync("openssl", ["req", "-x509", ...curve, ...made], {
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`openssl made no certificate: ${stderr}`);
    return ["--port", "0", "--tls-certificate", certificate, "--tls-key", key, "--tls-require"];
  },
  /** The handshake of TLS begins, and no more of it comes. */
  falter: async (wire) => {
    await secure(wire);
    wire.say(Buffer.from([22, 3, 1, 2, 0, 1, 0]));
  },
  open: async (wire) => {
    await secure(wire);
    wire.encrypt();
    wire.say(exportName);
    return session(wire);
  },
  gorge: async (wire, name) => gorge(await nbdTls.open(wire, name), wire),
};
