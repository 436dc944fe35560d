// Words and addresses that a person can paste into a shell, or a program into a URL.

import { shown } from "@drydock/core/base/shown-text";

/** Quoted where a POSIX shell would take the word apart. A word that cannot be shown as it is, is not pasteable: marked. */
export function shellWord(word: string): string {
  const text = shown(word, 4096);
  return /^[\w@%+=:,./[\]-]+$/.test(text) && !/[[\]]/.test(text)
    ? text
    : `'${text.replaceAll("'", "'\\''")}'`;
}

/** `HOST:PORT` as URLs write it: IPv6 in brackets, its zone percent-encoded (RFC 6874). */
export function hostPort(host: string, port: number | string): string {
  return `${host.includes(":") ? `[${host.replace("%", "%25")}]` : host}:${port}`;
}
