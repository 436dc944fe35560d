// What people's secrets are made of on this host: tokens, hashes, and argon2id with a queue.

import { argon2, createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { Secrets } from "@drydock/board/people";
import { tooMany } from "@drydock/board/visitor";

/** OWASP's least for argon2id: 19 MiB, two passes, one lane. */
const cost = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 } as const;
/** Each takes 19 MiB and a thread of the pool; more wait, and more than that are sent away. */
const hashesAtOnce = 4;
const hashesWaiting = 64;

let running = 0;
const waiting: (() => void)[] = [];

async function inTurn<T>(act: () => Promise<T>): Promise<T> {
  if (running >= hashesAtOnce) {
    if (waiting.length >= hashesWaiting)
      throw tooMany("hash-queue", "Too many people sign in at once.", 5_000);
    await new Promise<void>((resolve) => waiting.push(resolve));
  } else running++;
  try {
    return await act();
  } finally {
    const next = waiting.shift();
    if (next === undefined) running--;
    else next();
  }
}

const argonOf = (text: string, nonce: Uint8Array): Promise<Buffer> =>
  inTurn(
    () =>
      new Promise((resolve, reject) =>
        argon2("argon2id", { message: text.normalize("NFC"), nonce, ...cost }, (error, tag) =>
          error === null ? resolve(tag) : reject(error),
        ),
      ),
  );

/** The form that others write too: algorithm, version, cost, salt, tag. */
const prefix = `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$`;
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64").replace(/=+$/, "");
const nobody = `${prefix}${base64(new Uint8Array(16))}$${base64(new Uint8Array(32))}`;

export const hostSecrets: Secrets = {
  token: (bytes) => randomBytes(bytes).toString("base64url"),
  hash: (text) => createHash("sha256").update(text).digest("base64url"),
  async hashPassword(text) {
    const salt = randomBytes(16);
    return `${prefix}${base64(salt)}$${base64(await argonOf(text, salt))}`;
  },
  async isPassword(text, hash) {
    const kept = hash ?? nobody;
    if (!kept.startsWith(prefix)) throw new Error("a password's hash of another cost");
    const [salt, tag] = kept.slice(prefix.length).split("$");
    const made = await argonOf(text, Buffer.from(salt, "base64"));
    const isSame = timingSafeEqual(made, Buffer.from(tag, "base64"));
    return isSame && hash !== null;
  },
};
