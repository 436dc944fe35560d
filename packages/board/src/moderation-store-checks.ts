// The contract of moderation and watching as a list of checks: every store runs all of it.

import type { ActLimit } from "./board-store.ts";
import { begun, equal, noKey, type StoreContractCheck } from "./board-store-checks.ts";
import type { ActBy } from "./moderation-store.ts";

async function peopled(store: Parameters<StoreContractCheck["run"]>[0]) {
  const made = await begun(store);
  const moderator = await store.person("mod", "Mod", "moderator", 1);
  const newcomer = await store.accounts.add("new", "New", "writer", 1);
  const act = (reason: string, at = 50): ActBy => ({ actorId: moderator.id, reason, at });
  const logged = async () =>
    (await store.moderation.log({ subject: null, before: null, limit: 50 })).map(
      ({ act: name, of, ofId, reason, detail }) => `${name} ${of} ${ofId} ${reason} ${detail}`.trim(),
    );
  const told = async (personId: number) =>
    (await store.watching.notices(personId, null, 50)).map(({ kind, postId }) => `${kind} ${postId}`);
  return { ...made, moderator, newcomerId: newcomer?.id ?? 0, act, logged, told };
}

export const moderationStoreChecks: readonly StoreContractCheck[] = [
  {
    name: "a flag waits in the queue once a person, until somebody decides; the log says who and why",
    async run(store) {
      const { post, author, other, act, logged } = await peopled(store);
      const { moderation } = store;
      const id = await post("Flagged", 5);
      const by = { personId: other.id, reason: "spam", at: 6 };
      equal(
        [await moderation.flag("post", id, by), await moderation.flag("post", id, by)],
        ["done", "again"],
        "once",
      );
      equal(await moderation.flag("post", id + 9, by), "missing", "nothing");
      equal(
        (await moderation.queue(0, 10)).map((row) => [
          row.of,
          row.ofId,
          row.title,
          row.by.handle,
          row.reason,
        ]),
        [["post", id, "Flagged", "other", "spam"]],
        "queue",
      );
      equal(await moderation.waiting(), 1, "waiting");
      equal(
        [
          await moderation.dismiss("post", id, act("it is a question")),
          await moderation.dismiss("post", id, act("again")),
        ],
        [true, false],
        "decided once",
      );
      equal([await moderation.queue(0, 10), await moderation.waiting()], [[], 0], "empty");
      equal(await logged(), [`dismiss post ${id} it is a question`], "log");
      equal(await moderation.flag("post", id, { ...by, at: 9 }), "done", "again after it was decided");
      const own = await moderation.log({ subject: author.id, before: null, limit: 9 });
      equal(own.length, 1, "the author reads it");
      equal(await moderation.log({ subject: other.id, before: null, limit: 9 }), [], "nobody else's");
    },
  },
  {
    name: "a hidden post is out of lists, search and symptoms, with its flags decided; shown, it is as it was",
    async run(store) {
      const { post, reply, topic, author, other, act, logged, told } = await peopled(store);
      const { moderation } = store;
      const symptoms = [{ kind: "rule" as const, value: "DR02-1" }];
      const id = await post("Hidden words", 5, { symptoms, tags: ["tag"] });
      const answer = await reply(id, "an answer", 6);
      await store.accept(id, answer, 7);
      await moderation.flag("post", id, { personId: other.id, reason: "spam", at: 8 });
      equal(
        [await moderation.hide("post", id, act("spam")), await moderation.hide("post", id, act("spam"))],
        [true, false],
        "once",
      );
      const seen = async () => [
        (await store.post(id))?.state,
        (await store.topic("drivers"))?.posts,
        (await store.list(topic.id, order)).length,
        (await store.search(words("hidden"))).length,
        (await store.bySymptom(symptoms[0], 5)).length,
        (await store.byTag("tag", null, 5)).length,
      ];
      equal(await seen(), ["hidden", 0, 0, 0, 0, 0], "hidden");
      equal(await moderation.waiting(), 0, "its flags are decided");
      equal((await moderation.latest("post", id, "hide"))?.reason, "spam", "why");
      equal(await store.addReply(replyOf(id, author.id), noKey(9)), null, "nothing comes below it");
      equal(await moderation.show("post", id, act("a mistake")), true, "shown");
      equal(await seen(), ["solved", 1, 1, 1, 1, 1], "as it was");
      equal(await logged(), [`show post ${id} a mistake`, `hide post ${id} spam`], "log");
      equal(await told(author.id), [`shown ${id}`, `hidden ${id}`], "the author is told");
    },
  },
  {
    name: "a hidden answer counts no more and is found no more; shown, it is",
    async run(store) {
      const { post, reply, act } = await peopled(store);
      const id = await post("Stays", 5);
      const answer = await reply(id, "unusualword 0xe00002c5", 6);
      await store.accept(id, answer, 7);
      equal(await store.moderation.hide("reply", answer, act("rude")), true, "hidden");
      const seen = async () => {
        const found = await store.post(id);
        return [
          found?.replies,
          found?.state,
          found?.acceptedReplyId,
          (await store.search(words("unusualword"))).length,
          (await store.bySymptom({ kind: "io_return", value: "e00002c5" }, 5)).length,
        ];
      };
      equal(await seen(), [0, "open", null, 0, 0], "hidden");
      equal(await store.moderation.show("reply", answer, act("no")), true, "shown");
      equal(await seen(), [1, "open", null, 1, 1], "shown");
    },
  },
  {
    name: "a locked post takes no answers but a moderator's",
    async run(store) {
      const { post, author, act } = await peopled(store);
      const id = await post("Locked", 5);
      equal(await store.moderation.lock(id, true, act("a quarrel")), true, "locked");
      equal(await store.moderation.lock(id, true, act("a quarrel")), false, "nothing changes");
      equal((await store.post(id))?.isLocked, true, "told");
      equal(await store.addReply(replyOf(id, author.id), noKey(9)), "locked", "refused");
      const past = await store.addReply({ ...replyOf(id, author.id), isPastLock: true }, noKey(9));
      equal(past !== null && past !== "locked", true, "past the lock");
      equal(await store.moderation.lock(id, false, act("calm")), true, "unlocked");
      equal((await store.moderation.latest("post", id, "unlock")) === null, false, "log");
    },
  },
  {
    name: "a moved post is counted where it stands",
    async run(store) {
      const { post, topic, act, logged } = await peopled(store);
      const usb = await store.putTopic({ ...topic, slug: "usb", name: "USB" }, 2);
      const id = await post("Moves", 5);
      equal(await store.moderation.move(id, usb.id, act("it is about USB")), true, "moved");
      equal(await store.moderation.move(id, usb.id, act("again")), false, "there already");
      equal([(await store.topic("drivers"))?.posts, (await store.topic("usb"))?.posts], [0, 1], "counts");
      equal(await logged(), [`move post ${id} it is about USB drivers to usb`], "log");
    },
  },
  {
    name: "a merged post leads to the end of the chain; boosts and watchers go there, each person once",
    async run(store) {
      const { post, author, other, moderator, act, told } = await peopled(store);
      const [first, second, third] = [
        await post("First", 5),
        await post("Second", 6),
        await post("Third", 7),
      ];
      const boost = (postId: number, personId: number) =>
        store.boost({ postId, personId, at: 8, os: "", hardware: "", isTold: true });
      await boost(first, other.id);
      await boost(second, other.id);
      await boost(second, author.id);
      equal(await store.moderation.merge(second, first, act("the same")), first, "merged");
      equal(await store.moderation.merge(third, second, act("the same")), first, "to the end of the chain");
      equal(await store.moderation.merge(first, third, act("the same")), "circle", "no circle");
      equal(await store.moderation.merge(first, 999, act("the same")), "missing", "nowhere");
      const row = async (id: number) => {
        const found = await store.post(id);
        return [found?.boosts, found?.state, found?.duplicateOf];
      };
      equal(await row(first), [2, "open", null], "first");
      equal(await row(second), [0, "duplicate", first], "second");
      equal(await row(third), [0, "duplicate", first], "third");
      equal(await store.watching.isWatching(author.id, "post", first), true, "watcher");
      equal(await store.watching.isWatching(author.id, "post", second), false, "moved");
      equal((await told(other.id)).includes(`merged ${second}`), true, "told");
      equal(await told(moderator.id), [], "not the one who acts");
    },
  },
  {
    name: "bans, roles and trust: each once, with its row; a deleted account has none",
    async run(store) {
      const { newcomerId, act, logged, told } = await peopled(store);
      const { moderation, accounts } = store;
      equal(await moderation.ban(newcomerId, true, act("spam")), true, "banned");
      equal(await moderation.ban(newcomerId, true, act("spam")), false, "banned already");
      equal((await accounts.byId(newcomerId))?.state, "banned", "state");
      equal(await moderation.ban(newcomerId, false, act("sorry")), true, "let in");
      equal((await accounts.byId(newcomerId))?.isKnown, false, "new");
      equal(await moderation.setRole(newcomerId, "engineer", act("of the vendor")), true, "role");
      const found = await accounts.byId(newcomerId);
      equal([found?.role, found?.isKnown], ["engineer", true], "who has a task is known");
      equal(await moderation.setKnown(newcomerId, true, act("x")), false, "known already");
      equal(await moderation.setKnown(newcomerId, false, act("x")), true, "taken back");
      equal((await logged()).length, 4, "a row each");
      equal((await logged())[1], `role person ${newcomerId} of the vendor writer to engineer`, "detail");
      equal((await told(newcomerId)).length, 4, "told of each");
      await accounts.remove(newcomerId);
      equal(await moderation.ban(newcomerId, true, act("spam")), false, "nobody");
    },
  },
  {
    name: "the log only grows: no statement changes or removes a row of it",
    async run(store) {
      const { post, act } = await peopled(store);
      const id = await post("Logged", 5);
      await store.moderation.lock(id, true, act("first"));
      const before = await store.moderation.log({ subject: null, before: null, limit: 9 });
      await store.moderation.lock(id, false, act("second"));
      await store.deletePost(id, 60);
      const after = await store.moderation.log({ subject: null, before: null, limit: 9 });
      equal(after.slice(1), before, "what was there");
      equal(
        (await store.moderation.log({ subject: null, before: after[0].id, limit: 9 })).length,
        1,
        "by pages",
      );
    },
  },
  {
    name: "whoever writes or boosts watches; watchers are told, never of their own acts, and read up to a place",
    async run(store) {
      const { post, author, other, topic, told } = await peopled(store);
      const { watching } = store;
      equal(await watching.watch(other.id, "topic", topic.id, 1), true, "a topic");
      equal(await watching.watch(other.id, "topic", topic.id + 9, 1), false, "no topic");
      const id = await post("Told", 5, { isTold: true });
      equal(await told(other.id), [`post ${id}`], "a new post");
      equal(await watching.isWatching(author.id, "post", id), true, "its author watches");
      const silent = await post("Imported", 6);
      equal(await watching.isWatching(author.id, "post", silent), false, "an import does not");
      const answer = await store.addReply({ ...replyOf(id, other.id), isTold: true }, noKey(7));
      equal(await told(author.id), [`answer ${id}`], "an answer");
      if (answer === null || answer === "locked") throw new Error("no answer");
      await store.accept(id, answer.id, 8, { id: author.id, isKnown: true });
      equal(await told(other.id), [`accepted ${id}`, `post ${id}`], "accepted");
      equal(await watching.unread(other.id), 2, "unread");
      const [newest, oldest] = await watching.notices(other.id, null, 9);
      await watching.read(other.id, oldest.id);
      equal(await watching.unread(other.id), 1, "read up to there");
      equal((await watching.notices(other.id, newest.id, 9)).length, 1, "by pages");
      equal(
        (await watching.watched(other.id, 9)).map((row) => `${row.of} ${row.title}`),
        ["topic Drivers", "post Told"],
        "what one watches",
      );
      await watching.unwatch(other.id, "topic", topic.id);
      await post("Untold", 9, { isTold: true });
      equal((await told(other.id)).length, 2, "no more");
      await watching.forgetNotices(100);
      equal(await told(other.id), [], "forgotten");
    },
  },
  {
    name: "what is hidden or deleted is told to nobody any more; a feed's secret is one person's, the newest alone",
    async run(store) {
      const { post, author, other, act, told } = await peopled(store);
      const id = await post("Told", 5, { isTold: true });
      const answer = await store.addReply({ ...replyOf(id, other.id), isTold: true }, noKey(7));
      if (answer === null || answer === "locked") throw new Error("no answer");
      await store.moderation.hide("reply", answer.id, act("rude"));
      equal(await told(author.id), [], "a hidden answer");
      const { watching } = store;
      await watching.setFeed(author.id, "h1");
      await watching.setFeed(author.id, "h2");
      equal([await watching.feedOf("h1"), await watching.feedOf("h2")], [null, author.id], "the newest");
      await watching.setFeed(author.id, null);
      equal(await watching.feedOf("h2"), null, "taken away");
    },
  },
  {
    name: "somebody known who answers, boosts or accepts takes a newcomer's text up, once a text; newcomers do not",
    async run(store) {
      const { post, other, newcomerId } = await peopled(store);
      const [one, two] = [
        await post("One", 5, { authorId: newcomerId }),
        await post("Two", 6, { authorId: newcomerId }),
      ];
      const boost = { postId: one, personId: other.id, at: 7, os: "", hardware: "" };
      await store.boost({ ...boost, isByKnown: false });
      await store.boost({ ...boost, personId: newcomerId, isByKnown: true });
      equal(await store.accounts.cared(newcomerId), 0, "newcomers, and oneself");
      await store.boost({ ...boost, isByKnown: true });
      await store.addReply({ ...replyOf(one, other.id), isByKnown: true }, noKey(8));
      equal(await store.accounts.cared(newcomerId), 1, "once a text");
      await store.addReply({ ...replyOf(two, other.id), isByKnown: true }, noKey(9));
      equal(await store.accounts.cared(newcomerId), 2, "two texts");
      await store.accounts.setKnown(newcomerId, 10);
      equal((await store.accounts.byId(newcomerId))?.isKnown, true, "known");
    },
  },
  {
    name: "limits are taken with the act: one done before costs nothing, one refused takes nothing",
    async run(store) {
      const { author, draft } = await peopled(store);
      const limits: readonly ActLimit[] = [{ name: "gap", gapMs: 5000, code: "gap", text: "Slowly." }];
      const full: readonly ActLimit[] = [
        ...limits,
        { name: "day", most: 1, windowMs: 86_400_000, code: "day", text: "One a day." },
      ];
      const first = await store.addPost(draft("One", 1), { key: "k1", at: 1000, limits: full });
      const again = await store.addPost(draft("One", 1), { key: "k1", at: 1001, limits: full });
      equal(again, { id: first.id, isNew: false }, "the same act");
      const refusal = async (key: string, at: number, of: readonly ActLimit[]) =>
        await store.addPost(draft("Two", 2), { key, at, limits: of }).then(
          () => "taken",
          (error: { code?: string; waitMs?: number }) => `${error.code} ${error.waitMs}`,
        );
      equal(await refusal("k2", 2000, limits), "gap 4000", "the gap");
      equal(await refusal("k2", 6000, full), `day ${86_400_000 - 6000}`, "the day");
      equal(await refusal("k2", 6001, limits), "taken", "what was refused took no gap");
      equal(author.id > 0, true, "somebody");
    },
  },
];

const order = {
  sort: "created",
  direction: "desc",
  unanswered: false,
  after: null,
  limit: 10,
} as const;

const words = (word: string) => ({
  words: [word],
  symptoms: [],
  topicId: null,
  tag: null,
  state: null,
  hasAnswer: false,
  hasCase: false,
  os: null,
  after: null,
  limit: 10,
});

const replyOf = (postId: number, authorId: number) => ({
  postId,
  parentId: null,
  authorId,
  kind: "answer" as const,
  markdown: "a reply",
  plain: "a reply",
  symptoms: [],
  at: 9,
  source: "own" as const,
});
