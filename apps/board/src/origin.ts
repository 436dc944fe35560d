// Which names a board for many may have: judged without its server.

/** Null when it may be; otherwise why not. A passkey belongs to a name, and a cookie to TLS or to this machine. */
export function originFault(text: string): string | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null) return "is no address; one is https://board.example";
  if (url.protocol !== "https:") return "must begin with https://: over anything else sessions could be read";
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "" || url.username !== "")
    return "is a name alone, without path, user or question mark";
  if (isNumber(url.hostname)) return "must be a name: passkeys do not bind to a number";
  return null;
}

const isNumber = (host: string): boolean => /^\[|^[\d.]+$/.test(host);
