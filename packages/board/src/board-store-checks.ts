// The contract of a board's store as a list of checks: every store runs all of it.

import type { BoardStore, NewPost, SearchAsk } from "./board-store.ts";
import { defaultOrder } from "./listing.ts";
import { symptomsIn } from "./symptoms.ts";

export interface StoreContractCheck {
  readonly name: string;
  /** Throws when the store does otherwise. The store is empty. */
  run(store: BoardStore): Promise<void>;
}

function expect(isTrue: boolean, what: string): void {
  if (!isTrue) throw new Error(what);
}

export function equal(actual: unknown, wanted: unknown, what: string): void {
  const [left, right] = [JSON.stringify(actual), JSON.stringify(wanted)];
  if (left !== right) throw new Error(`${what}: ${left} instead of ${right}`);
}

export const noKey = (at: number) => ({ key: null, at });

export async function begun(store: BoardStore) {
  const author = await store.person("writer", "Writer", "writer", 1);
  const other = await store.person("other", "Other", "writer", 1);
  const topic = await store.putTopic(
    {
      slug: "drivers",
      name: "Drivers",
      description: "",
      documentationUrl: "/docs",
      documentationName: "Docs",
    },
    1,
  );
  const draft = (title: string, at: number, more: Partial<NewPost> = {}): NewPost => ({
    topicId: topic.id,
    authorId: author.id,
    kind: "question",
    title,
    markdown: `text of ${title}`,
    plain: `text of ${title}`,
    tags: [],
    symptoms: [],
    at,
    source: "own",
    ...more,
  });
  const post = async (title: string, at: number, more: Partial<NewPost> = {}) =>
    (await store.addPost(draft(title, at, more), noKey(at))).id;
  const reply = async (postId: number, text: string, at: number, parentId: number | null = null) => {
    const done = await store.addReply(
      {
        postId,
        parentId,
        authorId: author.id,
        kind: parentId === null ? "answer" : "comment",
        markdown: text,
        plain: text,
        symptoms: symptomsIn(text),
        at,
        source: "own",
      },
      noKey(at),
    );
    return done === null || done === "locked" ? 0 : done.id;
  };
  return { author, other, topic, draft, post, reply };
}

const edit = (version: number, at: number, markdown: string) => ({
  editorId: 1,
  version,
  markdown,
  plain: markdown,
  at,
});

export const boardStoreChecks: readonly StoreContractCheck[] = [
  {
    name: "a post comes back as it was given",
    async run(store) {
      const { post, author, topic } = await begun(store);
      const symptoms = [{ kind: "io_return", value: "e00002e2" }] as const;
      const origin = {
        position: 7,
        title: "As it was",
        replies: 3,
        boosts: 0,
        views: 116,
        activity: "Jul ’25",
      };
      const id = await post("A title", 100, {
        tags: ["usb", "cdc"],
        symptoms,
        origin,
        caseId: "P02",
        folder: "P02-x",
      });
      const found = await store.post(id);
      equal(found?.title, "A title", "title");
      equal(found?.author.handle, author.handle, "author");
      equal(found?.tags, ["cdc", "usb"], "tags, in order");
      equal(found?.symptoms, symptoms, "symptoms");
      equal(found?.origin, origin, "origin");
      equal([found?.createdAt, found?.activityAt, found?.version], [100, 100, 1], "times and version");
      equal((await store.postByFolder("P02-x"))?.id, id, "by folder");
      equal(
        (await store.byCase("P02")).map((row) => row.id),
        [id],
        "by case",
      );
      equal(
        (await store.originRows(topic.id)).map((row) => row.id),
        [id],
        "origin rows",
      );
      equal(await store.post(id + 1), null, "a post that is not there");
    },
  },
  {
    name: "the same act twice happens once",
    async run(store) {
      const { draft, topic } = await begun(store);
      const first = await store.addPost(draft("Once", 1), { key: "k1", at: 1 });
      const second = await store.addPost(draft("Once", 2), { key: "k1", at: 2 });
      equal([second.id, second.isNew], [first.id, false], "the second act");
      equal((await store.topic(topic.slug))?.posts, 1, "posts");
    },
  },
  {
    name: "replies, boosts and views count themselves; activity moves forward only",
    async run(store) {
      const { post, reply, author, other } = await begun(store);
      const id = await post("Counted", 100);
      const answer = await reply(id, "an answer", 90);
      await reply(id, "a comment", 200, answer);
      for (const personId of [author.id, other.id, author.id])
        await store.boost({ postId: id, personId, at: 300, os: "macOS 26", hardware: "" });
      const viewer = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
      const view = { postId: id, day: 5, viewer, minute: 7200, perMinute: 60 };
      equal(
        [await store.countView(view), await store.countView(view)],
        [true, false],
        "one view a viewer and day",
      );
      equal(await store.countView({ ...view, day: 6, minute: 8640 }), true, "another day");
      const found = await store.post(id);
      equal([found?.replies, found?.boosts, found?.views], [2, 2, 2], "counters");
      equal(found?.activityAt, 200, "activity");
      equal(await store.unboost(id, other.id), true, "taking a boost back");
      equal(await store.unboost(id, other.id), false, "taking it back twice");
      equal((await store.post(id))?.boosts, 1, "boosts after that");
      equal(
        (await store.replies(id)).map((row) => [row.kind, row.parentId]),
        [
          ["answer", null],
          ["comment", answer],
        ],
        "replies",
      );
    },
  },
  {
    name: "a minute counts no more views than it may, whoever sends them",
    async run(store) {
      const { post } = await begun(store);
      const id = await post("Busy", 1);
      let counted = 0;
      for (let index = 0; index < 20; index++) {
        const view = { postId: id, day: 1, viewer: Uint8Array.of(index), minute: 1440, perMinute: 6 };
        if (await store.countView(view)) counted++;
      }
      equal(counted, 6, "views in one minute");
      equal(
        await store.countView({ postId: id, day: 1, viewer: Uint8Array.of(99), minute: 1441, perMinute: 6 }),
        true,
        "the next minute",
      );
    },
  },
  {
    name: "keys and viewers of past days are destroyed",
    async run(store) {
      const { post } = await begun(store);
      const id = await post("Seen", 1);
      const key = await store.keyOfDay(3, Uint8Array.of(1));
      equal([...(await store.keyOfDay(3, Uint8Array.of(2)))], [...key], "one key a day");
      await store.countView({ postId: id, day: 3, viewer: Uint8Array.of(7), minute: 1, perMinute: 60 });
      await store.purgeViews(4, 4);
      equal([...(await store.keyOfDay(3, Uint8Array.of(9)))], [9], "the key after the purge");
      equal((await store.post(id))?.views, 1, "the count stays");
    },
  },
  {
    name: "an edit keeps what was, and refuses one that did not see the newest",
    async run(store) {
      const { post, author } = await begun(store);
      const id = await post("First", 1);
      equal(
        await store.editPost(id, { ...edit(1, 5, "new"), editorId: author.id, title: "Second" }),
        2,
        "an edit",
      );
      equal(
        await store.editPost(id, { ...edit(1, 6, "late"), editorId: author.id }),
        "changed",
        "a late one",
      );
      equal(
        await store.editPost(id + 5, { ...edit(1, 6, "x"), editorId: author.id }),
        "missing",
        "of nothing",
      );
      equal(
        (await store.revisions("post", id)).map((row) => [row.version, row.title, row.markdown]),
        [
          [2, "Second", "new"],
          [1, "First", "text of First"],
        ],
        "revisions",
      );
    },
  },
  {
    name: "a deleted post is gone from lists, search and symptoms, with its texts",
    async run(store) {
      const { post, topic, author } = await begun(store);
      const symptoms = [{ kind: "io_return", value: "e00002e2" }] as const;
      const id = await post("Vanishing xylophone", 1, { symptoms, tags: ["usb"] });
      equal(await store.deletePost(id, 2), true, "deleting");
      equal(await store.deletePost(id, 3), false, "deleting twice");
      equal((await store.list(topic.id, defaultOrder)).length, 0, "list");
      equal((await store.search(asked(["xylophone"]))).length, 0, "search");
      equal((await store.bySymptom(symptoms[0], 5)).length, 0, "symptom");
      equal((await store.byTag("usb", null, 5)).length, 0, "tag");
      equal((await store.tags(5)).length, 0, "tags");
      equal(
        (await store.revisions("post", id)).map((row) => row.markdown),
        [""],
        "texts",
      );
      equal((await store.post(id))?.state, "deleted", "its place");
      equal(
        await store.boost({ postId: id, personId: author.id, at: 4, os: "", hardware: "" }),
        false,
        "a boost",
      );
    },
  },
  {
    name: "a deleted answer leaves its place to its comments, and is no longer accepted",
    async run(store) {
      const { post, reply } = await begun(store);
      const id = await post("Asked", 1);
      const answer = await reply(id, "quixotic answer", 2);
      await reply(id, "comment", 3, answer);
      equal(await store.accept(id, answer, 4), true, "accepting");
      equal((await store.post(id))?.state, "solved", "state");
      equal(await store.deleteReply(answer, 5), true, "deleting");
      const found = await store.post(id);
      equal([found?.state, found?.acceptedReplyId, found?.replies], ["open", null, 1], "the post after it");
      equal(
        (await store.replies(id)).map((row) => [row.state, row.markdown]),
        [
          ["deleted", ""],
          ["shown", "comment"],
        ],
        "replies",
      );
      equal((await store.search(asked(["quixotic"]))).length, 0, "search");
      equal(await store.accept(id, answer, 6), false, "accepting what is gone");
    },
  },
  {
    name: "every order of a list, both ways, page by page, without gap or repetition",
    async run(store) {
      const { post, reply, topic, author } = await begun(store);
      const ids: number[] = [];
      for (let index = 0; index < 53; index++) ids.push(await post(`Post ${index}`, 1000 + (index % 7)));
      for (const id of ids)
        for (let more = 0; more < id % 3; more++) await reply(id, "more", 2000 + (id % 5));
      for (const id of ids.filter((value) => value % 2 === 0))
        await store.boost({ postId: id, personId: author.id, at: 1, os: "", hardware: "" });
      for (const sort of ["activity", "created", "replies", "boosts", "views"] as const) {
        for (const direction of ["desc", "asc"] as const) {
          const seen: number[] = [];
          const keys: number[] = [];
          let after: { key: number; id: number } | null = null;
          for (let page = 0; page < 20; page++) {
            const rows = await store.list(topic.id, { sort, direction, unanswered: false, after, limit: 8 });
            for (const row of rows.slice(0, 8)) {
              seen.push(row.id);
              keys.push(
                {
                  activity: row.activityAt,
                  created: row.createdAt,
                  replies: row.replies,
                  boosts: row.boosts,
                  views: row.views,
                }[sort],
              );
            }
            if (rows.length <= 8) break;
            after = { key: keys[keys.length - 1], id: seen[seen.length - 1] };
          }
          equal(
            [...seen].sort((left, right) => left - right),
            ids,
            `${sort} ${direction}`,
          );
          for (let index = 1; index < keys.length; index++)
            expect(
              direction === "desc" ? keys[index - 1] >= keys[index] : keys[index - 1] <= keys[index],
              `${sort} ${direction}: order at ${index}`,
            );
        }
      }
      const unanswered = await store.list(topic.id, { ...defaultOrder, unanswered: true, limit: 100 });
      expect(unanswered.length > 0 && unanswered.every((row) => row.replies === 0), "unanswered");
    },
  },
  {
    name: "pinned posts stand apart from the order",
    async run(store) {
      const { post, topic } = await begun(store);
      const guide = await post("Guide", 1, { isPinned: true, kind: "guide" });
      const id = await post("Plain", 2);
      equal(
        (await store.pinned(topic.id)).map((row) => row.id),
        [guide],
        "pinned",
      );
      equal(
        (await store.list(topic.id, defaultOrder)).map((row) => row.id),
        [id],
        "the list",
      );
    },
  },
  {
    name: "search: words in title, text and replies, beginnings, symptoms, filters, pages",
    async run(store) {
      const { post, reply, topic, author } = await begun(store);
      const symptom = { kind: "io_return", value: "e0005000" } as const;
      const inTitle = await post("zephyr stalls", 1, { symptoms: [symptom], caseId: "P02" });
      const inText = await post("Other", 2, { plain: "about zephyr things", tags: ["usb"] });
      const inReply = await post("Third", 3);
      await reply(inReply, "zephyr again", 4);
      await store.boost({ postId: inText, personId: author.id, at: 1, os: "macOS 26", hardware: "" });
      const ids = async (more: Partial<SearchAsk>) =>
        (await store.search({ ...asked([]), ...more })).map((hit) => hit.id);
      const all = await ids({ words: ["zephyr"] });
      equal(all[0], inTitle, "the title weighs most");
      equal([...all].sort(), [inTitle, inText, inReply].sort(), "all three");
      equal(await ids({ words: ["zephyr", "thi"] }), [inText], "the beginning of a last word");
      equal(await ids({ symptoms: [symptom] }), [inTitle], "by symptom");
      equal(await ids({ words: ["zephyr"], tag: "usb" }), [inText], "by tag");
      equal(await ids({ words: ["zephyr"], os: "macOS 26" }), [inText], "by system");
      equal(await ids({ words: ["zephyr"], hasAnswer: true }), [inReply], "with answer");
      equal(await ids({ words: ["zephyr"], hasCase: true }), [inTitle], "with case");
      equal(await ids({ words: ["zephyr"], topicId: topic.id + 1 }), [], "another topic");
      equal(await ids({ words: ['ze"phyr"', "OR", "NEAR("] }), [], "the index's own words mean nothing");
      const seen: number[] = [];
      let after: { key: number; id: number } | null = null;
      for (let page = 0; page < 4; page++) {
        const [hit] = await store.search({ ...asked(["zephyr"]), after, limit: 1 });
        if (hit === undefined) break;
        seen.push(hit.id);
        after = { key: hit.score, id: hit.id };
      }
      equal(seen, all, "page by page");
    },
  },
  {
    name: "a symptom in an answer leads to its post, until the answer goes or changes",
    async run(store) {
      const { post, reply } = await begun(store);
      const id = await post("Asked", 1);
      const answer = await reply(id, "see DR02-1 and 0xe00002e2, DR02-1", 2);
      await reply(id, "DR02-1 again", 3);
      const rule = { kind: "rule", value: "DR02-1" } as const;
      const code = { kind: "io_return", value: "e00002e2" } as const;
      const found = async (symptom: typeof rule | typeof code) =>
        (await store.bySymptom(symptom, 5)).map((row) => row.id);
      equal([await found(rule), await found(code)], [[id], [id]], "each once");
      equal(
        (await store.search({ ...asked([]), symptoms: [rule] })).map((hit) => hit.id),
        [id],
        "search",
      );
      equal((await store.post(id))?.symptoms, [], "the post's own text has none");
      await store.editReply(answer, { ...edit(1, 4, "nothing"), symptoms: [] });
      equal([await found(rule), await found(code)], [[id], []], "after the edit");
    },
  },
  {
    name: "a duplicate points at its original, and back",
    async run(store) {
      const { post } = await begun(store);
      const first = await post("First", 1);
      const second = await post("Second", 2);
      equal(await store.markDuplicate(second, first, 3), true, "marking");
      const found = await store.post(second);
      equal([found?.state, found?.duplicateOf], ["duplicate", first], "the duplicate");
      equal(await store.markDuplicate(second, 999, 3), false, "of nothing");
      await store.markDuplicate(second, null, 4);
      equal((await store.post(second))?.state, "open", "taken back");
    },
  },
  {
    name: "runs of cases: the newest of each side, and the history newest first",
    async run(store) {
      const run = {
        caseId: "P02",
        side: "bad",
        seed: 1,
        drydockVersion: "0.1.0",
        build: "0123456789abcdef",
        verdict: "failed",
        result: "as it should",
        traceDigest: "00",
        wallMs: 3,
        at: 10,
      } as const;
      await store.addCaseRun(run);
      for (let times = 0; times < 2; times++)
        await store.addCaseRun({ ...run, at: 20, traceDigest: "01" }, { key: "a job's run, once", at: 20 });
      await store.addCaseRun({ ...run, side: "good", verdict: "succeeded" });
      equal(
        (await store.latestRuns()).map((row) => [row.side, row.traceDigest]),
        [
          ["bad", "01"],
          ["good", "00"],
        ],
        "latest",
      );
      equal(
        (await store.caseRuns("P02", 2)).map((row) => row.side),
        ["good", "bad"],
        "history",
      );
    },
  },
  {
    name: "what one server does alone, it does whole; a failure of it is the caller's, and the next one comes",
    async run(store) {
      let failure = "";
      try {
        await store.alone(async () => {
          await store.setSetting("alone", "first");
          throw new Error("broke off");
        });
      } catch (error) {
        failure = String(error);
      }
      equal(failure, "Error: broke off", "the failure");
      equal(
        await store.alone(async () => await store.setting("alone")),
        "first",
        "what the next one answers",
      );
    },
  },
  {
    name: "everything counted again agrees",
    async run(store) {
      const { post, reply } = await begun(store);
      const id = await post("Checked", 1, { tags: ["a"], symptoms: [{ kind: "rule", value: "DR02-1" }] });
      await reply(id, "words of a reply", 2);
      await store.editPost(id, edit(1, 3, "edited words"));
      equal((await store.check()).faults, [], "faults");
    },
  },
];

function asked(words: readonly string[]): SearchAsk {
  return {
    words,
    symptoms: [],
    topicId: null,
    tag: null,
    state: null,
    hasAnswer: false,
    hasCase: false,
    os: null,
    after: null,
    limit: 50,
  };
}
