// TLS before an HTTP server: a certificate and key of one's own, judged before anything listens, renewed while it runs.

import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Server as HttpServer } from "node:http";
import { createSecureContext, createServer, type Server } from "node:tls";

export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
}

/** A peer that has not shaken hands by then is gone; a crowd of them holds no more than this. */
const handshakeMs = 10_000;
const socketMaximum = 2048;
const renewEveryMs = 60_000;

interface Pair {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Throws RangeError: not there, not PEM, not a pair, not for this name, not today. `now`: milliseconds UTC. */
export function readTlsPair({ certificate, key }: TlsFiles, hostname: string, now: number): Pair {
  const pair = { cert: bytesOf("certificate", certificate), key: bytesOf("key", key) };
  let leaf: X509Certificate;
  try {
    leaf = new X509Certificate(pair.cert);
  } catch {
    throw new RangeError(`${certificate} is no certificate: it begins with -----BEGIN CERTIFICATE-----`);
  }
  try {
    createSecureContext(pair);
  } catch {
    throw new RangeError(
      `${key} is no key of the certificate ${certificate}: give the two that were made together, the key without a password`,
    );
  }
  if (leaf.checkHost(hostname) === undefined)
    throw new RangeError(
      `${certificate} is for ${leaf.subjectAltName ?? "no name"}, not for ${hostname}: browsers would refuse it`,
    );
  if (now < leaf.validFromDate.getTime() || now >= leaf.validToDate.getTime())
    throw new RangeError(
      `${certificate} is good from ${leaf.validFrom} to ${leaf.validTo}: browsers would refuse it today`,
    );
  return pair;
}

function bytesOf(what: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    throw new RangeError(`the ${what} ${path} cannot be read (${code})`);
  }
}

/**
 * A server that does not listen yet; connections that have shaken hands come to `http`, which need not listen. A pair
 * that is put in the files' place is taken up within a minute; one that cannot be is told, and the old one goes on.
 */
export function tlsDoor(
  http: HttpServer,
  files: TlsFiles,
  hostname: string,
  now: () => number,
  onTrouble: (error: unknown) => void,
): Server {
  let pair = readTlsPair(files, hostname, now());
  const server = createServer({
    ...pair,
    minVersion: "TLSv1.2",
    handshakeTimeout: handshakeMs,
    ALPNProtocols: ["http/1.1"],
  });
  server.maxConnections = socketMaximum;
  server.on("secureConnection", (socket) => {
    socket.on("error", () => {});
    http.emit("connection", socket);
  });
  // A handshake that fails is the peer's affair.
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  const renewal = setInterval(() => {
    try {
      const fresh = readTlsPair(files, hostname, now());
      if (fresh.cert.equals(pair.cert) && fresh.key.equals(pair.key)) return;
      server.setSecureContext(fresh);
      pair = fresh;
    } catch (error) {
      onTrouble(error);
    }
  }, renewEveryMs);
  renewal.unref();
  server.on("close", () => clearInterval(renewal));
  return server;
}
