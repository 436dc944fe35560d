// The contract of what a store keeps of people, as a list of checks: every store runs all of it.

import { equal, type StoreContractCheck } from "./board-store-checks.ts";
import type { Session } from "./people-store.ts";

const session = (id: string, personId: number, expiresAt = 1000): Session => ({
  id,
  personId,
  createdAt: 1,
  seenAt: 1,
  expiresAt,
  agent: "Browser",
});

export const peopleStoreChecks: readonly StoreContractCheck[] = [
  {
    name: "a handle belongs to one account; a name can change, and somebody new becomes known",
    async run({ accounts }) {
      const ann = await accounts.add("ann", "Ann", "writer", 5);
      equal([ann?.handle, ann?.role, ann?.state, ann?.createdAt], ["ann", "writer", "active", 5], "made");
      equal(await accounts.add("ann", "Other", "owner", 6), null, "taken");
      const id = ann?.id ?? 0;
      equal(await accounts.owners(), 0, "owners");
      equal(
        [await accounts.setName(id, "Ann B."), (await accounts.byId(id))?.shownName],
        [true, "Ann B."],
        "name",
      );
      equal(await accounts.byHandle("bob"), null, "nobody");
      const carl = await accounts.add("carl_100%".replace(/\W|_/g, ""), "Carl 100%", "writer", 6);
      const found = async (words: string, before: number | null = null) =>
        (await accounts.list(words, before, 9)).map(({ handle }) => handle);
      equal(await found(""), ["carl100", "ann"], "newest first");
      equal(
        [await found("0%"), await found("ANN"), await found("%n")],
        [["carl100"], ["ann"], []],
        "as typed",
      );
      equal(await found("", carl?.id ?? 0), ["ann"], "by pages");
      equal([ann?.isKnown, await accounts.cared(id)], [false, 0], "new here");
      await accounts.setKnown(id, 7);
      equal((await accounts.byHandle("ann"))?.isKnown, true, "known");
    },
  },
  {
    name: "passkeys and a password belong to their account",
    async run({ accounts }) {
      const id = (await accounts.add("ann", "Ann", "writer", 1))?.id ?? 0;
      const key = {
        personId: id,
        passkeyId: "a-b_c",
        publicKey: Uint8Array.of(1, 2, 255),
        signCount: 0,
        transports: "usb",
        createdAt: 3,
      };
      equal([await accounts.addPasskey(key), await accounts.addPasskey(key)], [true, false], "once");
      const found = await accounts.passkey("a-b_c");
      equal(
        [found?.personId, [...(found?.publicKey ?? [])], found?.transports],
        [id, [1, 2, 255], "usb"],
        "as given",
      );
      await accounts.usePasskey(found?.id ?? 0, 7, 9);
      equal(
        (await accounts.passkeys(id)).map((row) => [row.signCount, row.lastUsedAt]),
        [[7, 9]],
        "used",
      );
      equal(await accounts.passwordHash(id), null, "no password");
      await accounts.setPassword(id, "first", 1);
      await accounts.setPassword(id, "second", 2);
      equal(await accounts.passwordHash(id), "second", "the newest");
      await accounts.setPassword(id, null, 3);
      equal(await accounts.passwordHash(id), null, "taken away");
      equal(await accounts.removePasskey(id + 1, found?.id ?? 0), false, "somebody else's");
      equal(await accounts.removePasskey(id, found?.id ?? 0), true, "removed");
      equal(await accounts.passkey("a-b_c"), null, "gone");
    },
  },
  {
    name: "sessions end by time, by hand, and all but one",
    async run({ accounts }) {
      const id = (await accounts.add("ann", "Ann", "writer", 1))?.id ?? 0;
      for (const name of ["s1", "s2", "s3"]) await accounts.addSession(session(name, id));
      await accounts.addSession(session("old", id, 50));
      equal(
        [(await accounts.session("s1", 60))?.personId, await accounts.session("old", 60)],
        [id, null],
        "time",
      );
      await accounts.seen("s1", 70);
      equal(
        (await accounts.sessions(id, 60)).map((row) => [row.id, row.seenAt]),
        [
          ["s1", 70],
          ["s2", 1],
          ["s3", 1],
        ],
        "listed",
      );
      equal(
        [await accounts.endSession(id + 1, "s2"), await accounts.endSession(id, "s2")],
        [false, true],
        "by hand",
      );
      await accounts.endSessions(id, "s3");
      equal(
        (await accounts.sessions(id, 60)).map((row) => row.id),
        ["s3"],
        "all but one",
      );
      await accounts.forget(2000);
      equal(await accounts.sessions(id, 0), [], "forgotten");
    },
  },
  {
    name: "a ticket is good once, for its kind, until its time",
    async run({ accounts }) {
      await accounts.putTicket("t1", "link", "value", 100);
      await accounts.putTicket("t2", "link", "late", 10);
      await accounts.putTicket("t3", "link", "dropped", 100);
      equal(await accounts.takeTicket("t1", "other", 50), null, "another kind");
      equal(
        [await accounts.takeTicket("t1", "link", 50), await accounts.takeTicket("t1", "link", 50)],
        ["value", null],
        "once",
      );
      equal(await accounts.takeTicket("t2", "link", 50), null, "too late");
      await accounts.dropTickets("link");
      equal(await accounts.takeTicket("t3", "link", 50), null, "dropped");
    },
  },
  {
    name: "limits: so many in a window, one in a gap, each name its own",
    async run({ accounts }) {
      const minute = 60_000;
      const limit = { name: "a", most: 2, windowMs: minute, now: 10 * minute + 5000 };
      equal(
        [await accounts.take(limit), await accounts.take(limit), await accounts.take(limit)],
        [0, 0, 55_000],
        "the third waits",
      );
      equal([await accounts.taken(limit), await accounts.taken({ ...limit, name: "b" })], [2, 0], "taken");
      equal(
        [await accounts.take({ ...limit, name: "b" }), await accounts.take({ ...limit, now: 11 * minute })],
        [0, 0],
        "another name, the next window",
      );
      const gap = { name: "g", gapMs: 5000, now: 1_000_000 };
      equal(
        [
          await accounts.space(gap),
          await accounts.space({ ...gap, now: 1_001_000 }),
          await accounts.space({ ...gap, now: 1_005_000 }),
        ],
        [0, 4000, 0],
        "gaps",
      );
    },
  },
  {
    name: "a removed account leaves its texts under no name, and no way in",
    async run(store) {
      const { accounts } = store;
      const id = (await accounts.add("ann", "Ann", "owner", 1))?.id ?? 0;
      const topic = await store.putTopic(
        { slug: "t", name: "T", description: "", documentationUrl: "/", documentationName: "" },
        1,
      );
      const post = await store.addPost(
        {
          topicId: topic.id,
          authorId: id,
          kind: "question",
          title: "Stays",
          markdown: "m",
          plain: "m",
          tags: [],
          symptoms: [],
          at: 1,
          source: "own",
        },
        { key: null, at: 1 },
      );
      await accounts.setPassword(id, "hash", 1);
      await accounts.addSession(session("s", id));
      equal(
        [await accounts.owners(), await accounts.remove(id), await accounts.remove(id)],
        [1, true, false],
        "removing",
      );
      equal(
        [await accounts.session("s", 1), await accounts.passwordHash(id), await accounts.owners()],
        [null, null, 0],
        "ways in",
      );
      const found = await store.post(post.id);
      equal(
        [found?.title, found?.author.shownName, found?.author.role],
        ["Stays", "deleted person", "reader"],
        "the text",
      );
      equal((await accounts.byId(id))?.state, "deleted", "state");
      equal(
        (await accounts.add("ann", "New Ann", "writer", 2))?.shownName,
        "New Ann",
        "the handle is free: nothing of hers has it",
      );
    },
  },
];
