// What stands before every route: the name it was called by, who sent a writing request, and what a page may do.

import type { MiddlewareHandler } from "hono";

/** Where the board listens unless it is told otherwise. */
export const defaultBoardPort = 4870;

/**
 * Everything comes from here, and nothing else does: no inline script or style, no frame, no foreign request. Under
 * Trusted Types no text becomes script; the one policy makes workers from our own two files.
 */
export const contentPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  "connect-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types drydock drydock-evidence",
].join("; ");

/**
 * Of workers that read what people drop: their policy is their own (CSP 3 §4.2), and has no place to send anything to.
 * The one with the C++ reader compiles WebAssembly that the page hands in.
 */
export const evidencePolicies: Readonly<Record<string, string>> = {
  "source-worker.js": "default-src 'none'; script-src 'wasm-unsafe-eval'",
  "evidence-worker.js": "default-src 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
};

/** Set before the answer is made: headers put on a finished one make the server build it twice. */
export function securityHeaders(): MiddlewareHandler {
  return async (c, next) => {
    for (const [name, value] of fixedHeaders) c.header(name, value);
    await next();
  };
}

const fixedHeaders: readonly (readonly [string, string])[] = [
  ["Content-Security-Policy", contentPolicy],
  ["X-Content-Type-Options", "nosniff"],
  ["Referrer-Policy", "same-origin"],
  ["Cross-Origin-Opener-Policy", "same-origin"],
  ["Cross-Origin-Resource-Policy", "same-origin"],
  ["Permissions-Policy", "camera=(), microphone=(), geolocation=(), usb=(), serial=(), hid=()"],
  ["Cache-Control", "no-cache"],
];

/**
 * Only names that we are configured to have (421 otherwise): a stranger's page must not reach us by a name that it
 * makes resolve to loopback (RFC 9110 §15.5.20, and what is called DNS rebinding).
 */
export function onlyOurHosts(hosts: () => ReadonlySet<string>): MiddlewareHandler {
  return async (c, next) => {
    const host = (c.req.header("host") ?? new URL(c.req.url).host).toLowerCase();
    if (!hosts().has(host))
      return c.text(`This board is reached as ${[...hosts()][0]}, not by that name.\n`, 421);
    return await next();
  };
}

/**
 * A writing request must come from one of our own pages, or from a program that is no browser: browsers send Origin
 * with every such request (Fetch standard, "append a request Origin header") and Sec-Fetch-Site where they know it.
 */
export function onlyOurPages(hosts: () => ReadonlySet<string>, scheme: "http" | "https"): MiddlewareHandler {
  return async (c, next) => {
    if (c.req.method === "GET" || c.req.method === "HEAD") return await next();
    const site = c.req.header("sec-fetch-site");
    const origin = c.req.header("origin");
    const isForeignSite = site !== undefined && site !== "same-origin" && site !== "none";
    if (isForeignSite || (origin !== undefined && !isOurs(origin, hosts(), scheme)))
      return c.text("This request came from another site's page. Nothing was changed.\n", 403);
    return await next();
  };
}

function isOurs(origin: string, hosts: ReadonlySet<string>, scheme: "http" | "https"): boolean {
  const found = /^(https?):\/\/([^/]+)$/.exec(origin.toLowerCase());
  return found !== null && found[1] === scheme && hosts.has(found[2]);
}

/** The names of a server on loopback at this port. The first is the one to tell people. */
export function loopbackHosts(port: number): Set<string> {
  const names = ["localhost", "127.0.0.1", "[::1]"];
  return new Set([...names.map((name) => `${name}:${port}`), ...(port === 80 ? names : [])]);
}
