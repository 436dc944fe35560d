// The desk where people come in: their cookie, their passkeys, and the one name that this board has for browsers.

import { type KnownVisitor, type People, sessionLivesMs } from "@drydock/board/people";
import type { Account } from "@drydock/board/people-store";
import { BoardRefusal } from "@drydock/board/refusal";
import { networkOf } from "@drydock/board/views";
import { tooMany } from "@drydock/board/visitor";
import type { Context } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { Rates } from "./rates.ts";

const ceremonyMs = 5 * 60_000;
const mostPasskeys = 20;

const searchesOfMinute = 60;
const requestsOfMinute = 1_200;
const isLoopback = (address: string): boolean => /^(?:::ffff:)?127\.|^::1$/.test(address);

/** The ways of `@simplewebauthn/server`, read when the first passkey is. */
const library = () => import("@simplewebauthn/server");

export class PeopleDesk {
  readonly people: People;
  readonly #origin: () => URL;
  readonly #now: () => number;
  readonly #hash: (text: string) => string;
  readonly #hasProxy: boolean;
  readonly #rates = new Rates();

  constructor(
    people: People,
    origin: () => URL,
    now: () => number,
    hash: (text: string) => string,
    hasProxy: boolean,
  ) {
    this.#hasProxy = hasProxy;
    this.people = people;
    this.#origin = origin;
    this.#now = now;
    this.#hash = hash;
  }

  get #isSecure(): boolean {
    return this.#origin().protocol === "https:";
  }

  /** `__Host-`: from this host alone, over TLS alone. A plain name on loopback, where there is none. */
  get cookieName(): string {
    return this.#isSecure ? "__Host-drydock" : "drydock";
  }

  async whoAsks(c: Context): Promise<KnownVisitor | null> {
    const token = getCookie(c, this.cookieName);
    return token === undefined ? null : await this.people.who(token);
  }

  /** Another token than before the sign-in, whatever the browser had. */
  async letIn(c: Context, account: Account): Promise<void> {
    const before = await this.whoAsks(c);
    if (before !== null) await this.people.store.endSession(before.account.id, before.session.id);
    this.#set(c, await this.people.openSession(account, c.req.header("user-agent") ?? ""), sessionLivesMs);
  }

  async letOut(c: Context): Promise<void> {
    const known = await this.whoAsks(c);
    if (known !== null) await this.people.store.endSession(known.account.id, known.session.id);
    this.#set(c, "", 0);
  }

  #set(c: Context, value: string, livesMs: number): void {
    setCookie(c, this.cookieName, value, {
      path: "/",
      httpOnly: true,
      sameSite: "Lax",
      secure: this.#isSecure,
      maxAge: livesMs / 1000,
    });
  }

  /** The asker's address. Behind our own proxy the last name in X-Forwarded-For is the one that it saw itself. */
  address(c: Context): string {
    const remote = remoteOf(c);
    const isProxy = this.#hasProxy && isLoopback(remote);
    const last = isProxy ? c.req.header("x-forwarded-for")?.split(",").at(-1)?.trim() : undefined;
    return last === undefined || last === "" ? remote : last;
  }

  /** Of that address the network: a household, not a person. */
  network(c: Context): string {
    return networkOf(this.address(c));
  }

  /** Before anything is looked up: a flood from one network waits. This machine's own programs do not. Throws BoardRefusal. */
  mayAsk(c: Context): void {
    const address = this.address(c);
    if (isLoopback(address)) return;
    const wait = this.#rates.take(`ask ${networkOf(address)}`, requestsOfMinute, this.#now());
    if (wait > 0) throw tooMany("flood", "Too many requests from this network.", wait);
  }

  /** Throws BoardRefusal. */
  maySearch(c: Context, personId: number | null): void {
    const who = personId === null ? this.network(c) : String(personId);
    const wait = this.#rates.take(`search ${who}`, searchesOfMinute, this.#now());
    if (wait > 0) throw tooMany("searches", `${searchesOfMinute} searches a minute.`, wait);
  }

  async #challenge(kind: string, challenge: string, value = ""): Promise<void> {
    await this.people.store.putTicket(this.#hash(challenge), kind, value, this.#now() + ceremonyMs);
  }

  async addOptions(account: Account): Promise<unknown> {
    const { generateRegistrationOptions } = await library();
    const known = await this.people.store.passkeys(account.id);
    if (known.length >= mostPasskeys)
      throw new BoardRefusal("invalid", "passkeys-many", `An account has at most ${mostPasskeys} passkeys.`);
    const options = await generateRegistrationOptions({
      rpName: "Drydock",
      rpID: this.#origin().hostname,
      userName: account.handle,
      userDisplayName: account.shownName,
      userID: new TextEncoder().encode(`drydock-${account.id}`),
      attestationType: "none",
      excludeCredentials: known.map(({ passkeyId }) => ({ id: passkeyId })),
      authenticatorSelection: { residentKey: "required", userVerification: "preferred" },
    });
    await this.#challenge(`passkey-add ${account.id}`, options.challenge);
    return options;
  }

  /** `response`: what the browser's `credentials.create` gave, as JSON. Throws BoardRefusal. */
  async add(account: Account, response: string): Promise<void> {
    const { verifyRegistrationResponse } = await library();
    const given = parsed(response);
    const kind = `passkey-add ${account.id}`;
    const verified = await verifyRegistrationResponse({
      response: given as unknown as Parameters<typeof verifyRegistrationResponse>[0]["response"],
      expectedChallenge: async (challenge) => await this.#isOurs(kind, challenge),
      expectedOrigin: this.#origin().origin,
      expectedRPID: this.#origin().hostname,
      requireUserVerification: false,
    }).catch(refused);
    if (!verified.verified) throw refusal();
    const { credential } = verified.registrationInfo;
    const isNew = await this.people.store.addPasskey({
      personId: account.id,
      passkeyId: credential.id,
      publicKey: credential.publicKey,
      signCount: credential.counter,
      transports: (credential.transports ?? []).join(" "),
      createdAt: this.#now(),
    });
    if (!isNew) throw new BoardRefusal("invalid", "passkey-known", "This passkey is known already.");
  }

  async signInOptions(): Promise<unknown> {
    const { generateAuthenticationOptions } = await library();
    const options = await generateAuthenticationOptions({
      rpID: this.#origin().hostname,
      userVerification: "preferred",
    });
    await this.#challenge("passkey-in", options.challenge);
    return options;
  }

  /** Throws BoardRefusal. */
  async signIn(response: string): Promise<Account> {
    const { verifyAuthenticationResponse } = await library();
    const given = parsed(response);
    const passkey = await this.people.store.passkey(String(given.id ?? "").slice(0, 1400));
    if (passkey === null) throw refusal();
    const verified = await verifyAuthenticationResponse({
      response: given as unknown as Parameters<typeof verifyAuthenticationResponse>[0]["response"],
      expectedChallenge: async (challenge) => await this.#isOurs("passkey-in", challenge),
      expectedOrigin: this.#origin().origin,
      expectedRPID: this.#origin().hostname,
      requireUserVerification: false,
      credential: {
        id: passkey.passkeyId,
        publicKey: new Uint8Array(passkey.publicKey),
        counter: passkey.signCount,
      },
    }).catch(refused);
    const account = await this.people.store.byId(passkey.personId);
    if (!verified.verified || account === null || account.state === "deleted") throw refusal();
    await this.people.store.usePasskey(passkey.id, verified.authenticationInfo.newCounter, this.#now());
    return account;
  }

  /** Each challenge is good once. */
  async #isOurs(kind: string, challenge: string): Promise<boolean> {
    return (await this.people.store.takeTicket(this.#hash(challenge), kind, this.#now())) !== null;
  }
}

/** Whoever holds the other end of the connection. */
export function remoteOf(c: Context): string {
  const { incoming } = (c.env ?? {}) as { incoming?: { socket?: { remoteAddress?: string } } };
  return incoming?.socket?.remoteAddress ?? "127.0.0.1";
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw refusal();
}

const refusal = (): BoardRefusal =>
  new BoardRefusal("forbidden", "passkey", "This passkey was not taken: try again, or sign in another way.");

/** Whatever the library finds wrong with a stranger's bytes, the stranger learns one thing. */
function refused(): never {
  throw refusal();
}
