// What counts as a view: one per post, viewer and UTC day, told by a page that was seen, never by a fetch.

import { dayOf } from "./activity-text.ts";
import type { BoardStore } from "./board-store.ts";

/** Views of one post that are counted in one minute, whoever sends them. */
export const viewsPerMinute = 60;
/** The key of a day is destroyed one hour after its midnight: then nobody can tell who it was. */
const keyLivesMs = 25 * 3_600_000;
const seenLivesMs = 48 * 3_600_000;

export interface Visitor {
  /** As the socket says, IPv4 or IPv6. */
  readonly address: string;
  readonly agent: string;
}

/** SHA-256 HMAC: given by the host, so that the domain needs none of its own. */
export type Hmac = (key: Uint8Array, text: string) => Uint8Array;

/**
 * Counts a visit unless it was counted today. Answers whether it counted.
 * `isRobot`: the caller's judgement of the user agent; robots never count.
 */
export async function countVisit(
  store: BoardStore,
  visit: {
    readonly postId: number;
    readonly visitor: Visitor;
    readonly isRobot: boolean;
    readonly now: number;
  },
  hmac: Hmac,
  newKey: () => Uint8Array,
): Promise<boolean> {
  if (visit.isRobot) return false;
  const day = dayOf(visit.now);
  const key = await store.keyOfDay(day, newKey());
  const viewer = hmac(key, `${networkOf(visit.visitor.address)}\n${visit.visitor.agent.slice(0, 400)}`).slice(
    0,
    8,
  );
  return await store.countView({
    postId: visit.postId,
    day,
    viewer,
    minute: Math.floor(visit.now / 60_000),
    perMinute: viewsPerMinute,
  });
}

/** Forgets keys and viewers whose time is over. */
export async function forgetViewers(store: BoardStore, now: number): Promise<void> {
  await store.purgeViews(dayOf(now - keyLivesMs) + 1, dayOf(now - seenLivesMs) + 1);
}

/** /24 of IPv4, /56 of IPv6: a household, not a person. */
export function networkOf(address: string): string {
  const mapped = /^(?:::ffff:)?(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.\d{1,3}$/i.exec(address);
  if (mapped !== null) return `${mapped[1]}.${mapped[2]}.${mapped[3]}.0/24`;
  const bare = address.split("%")[0].toLowerCase();
  const [head, tail] = bare.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const groups =
    tail === undefined
      ? left
      : [...left, ...Array<string>(Math.max(0, 8 - left.length - right.length)).fill("0"), ...right];
  const numbers = groups.slice(0, 4).map((group) => Number.parseInt(group, 16) || 0);
  while (numbers.length < 4) numbers.push(0);
  numbers[3] &= 0xff00;
  return `${numbers.map((number) => number.toString(16)).join(":")}::/56`;
}
