// What commands that listen have in common: who can reach them, and what to do about a port that is taken.

import { networkInterfaces } from "node:os";
import { systemCode, systemSentence } from "@drydock/node/system-words";
import { UsageError } from "../terminal/usage-error.ts";

/** True for addresses that only this machine reaches. */
export function isLoopback(host: string): boolean {
  return /^(127\.|localhost$|::1$|(::ffff:)?127\.)/i.test(host);
}

/** Addresses of this machine, as `os.networkInterfaces()` lists them. */
type Interfaces = ReturnType<typeof networkInterfaces>;

/**
 * An address to go to for what listens on `host`: of a wildcard one of this machine's, an outer one of its kind where there
 * is any, else loopback. Everything else is where it listens.
 */
export function reachableName(host: string, interfaces: Interfaces = networkInterfaces()): string {
  const isWild4 = host === "0.0.0.0";
  const isWild6 = host === "::" || /^[0:]+$/.test(host);
  if (!isWild4 && !isWild6) return host;
  const outer = Object.values(interfaces)
    .flatMap((entries) => entries ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith("fe80:"));
  // Who listens on :: hears IPv4, too, and that is what more people can reach.
  const of = (family: string): string | undefined => outer.find((entry) => entry.family === family)?.address;
  return of("IPv4") ?? (isWild6 ? (of("IPv6") ?? "::1") : "127.0.0.1");
}

/** Where somebody wanted to listen. */
export interface Place {
  readonly host: string;
  readonly port: number;
  /** A Unix socket in place of both. */
  readonly path?: string;
}

/** What the system says about a place becomes a sentence that says which and what to do; other errors stay as they are. */
export async function orSayTaken<T>(listening: Promise<T>, { host, port, path }: Place): Promise<T> {
  try {
    return await listening;
  } catch (error) {
    const code = systemCode(error);
    if (code === null) throw error;
    if (path !== undefined)
      throw new UsageError(`--unix ${systemSentence(error, path)}; name a path that nothing has yet`);
    if (code === "EADDRINUSE")
      throw new Error(
        `${host} port ${port} is taken: end who has it, or choose another with --port (0: free ones)`,
      );
    if (code === "EACCES" || code === "EPERM")
      throw new UsageError(`--port ${port}: this user may not listen there; choose one from 1024 on, or 0`);
    throw new UsageError(`--host ${systemSentence(error, host)}; name an address of this machine`);
  }
}
