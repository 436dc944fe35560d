// The address of a database: read, and shown to people without what is secret in it.

/** The address as people may see it: no password, no parameters. */
export function shownDatabase(url: URL): string {
  const user = url.username === "" ? "" : `${url.username}@`;
  return `postgres://${user}${url.host}${url.pathname}`;
}

/** Reads `postgres://user@host:5432/name`. Throws RangeError, which never repeats what could be a password. */
export function databaseUrl(text: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new RangeError("is no address; one is postgres://user@host:5432/name");
  }
  if (url.protocol !== "postgres:" && url.protocol !== "postgresql:")
    throw new RangeError(
      `begins with ${JSON.stringify(url.protocol.slice(0, 20))}; a database's address begins with postgres://`,
    );
  if (url.pathname.length < 2)
    throw new RangeError("names no database; one is postgres://user@host:5432/name");
  return url;
}
