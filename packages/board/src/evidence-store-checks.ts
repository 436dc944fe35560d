// The contract of evidence as a list of checks: every store runs all of it.

import { begun, equal, type StoreContractCheck } from "./board-store-checks.ts";
import type { NewEvidence } from "./evidence-store.ts";

const file = (name: string, text: string): NewEvidence => ({
  name,
  bytes: Uint8Array.from(text, (letter) => letter.charCodeAt(0)),
  sha256: "ab",
  marks: 2,
  marked: "[]",
  notes: ["rewritten"],
});
const fingerprint = { kind: "fingerprint", value: "0123456789abcdef" } as const;
const reading = (isKnown: boolean) => ({ isKnown, cards: '[{"rule":"DR02-1"}]', symptoms: [fingerprint] });
const textOf = (bytes: Uint8Array | null) => (bytes === null ? null : String.fromCharCode(...bytes));

export const evidenceStoreChecks: readonly StoreContractCheck[] = [
  {
    name: "drafts are their owner's; attached they are the post's, with what the doctor said and its symptoms",
    async run(store) {
      const { post, author, other } = await begun(store);
      const { evidence } = store;
      const id = await post("A panic", 5);
      const files = [file("a.log", "first\u0000\n"), file("b.log", "second")];
      const ids = await evidence.addDrafts(author.id, files, reading(true), 6);
      equal(ids.length, 2, "ids");
      equal(
        (await evidence.drafts(author.id, ids)).map(({ name }) => name),
        ["a.log", "b.log"],
        "own",
      );
      equal(await evidence.drafts(other.id, ids), [], "not another's");
      equal(await evidence.attach({ postId: id }, other.id, ids, true, 7), 0, "nobody attaches another's");
      equal(await evidence.attach({ postId: id + 9 }, author.id, ids, true, 7), null, "no post");
      equal(await evidence.attach({ postId: id }, author.id, ids, true, 7), 2, "attached");
      equal(await evidence.attach({ postId: id }, author.id, ids, true, 8), 0, "once");
      const [first] = await evidence.ofPost(id);
      equal(
        [
          first.name,
          first.sizeBytes,
          first.marks,
          first.notes,
          first.state,
          first.owner.handle,
          first.postId,
        ],
        ["a.log", 7, 2, ["rewritten"], "shown", "writer", id],
        "as given",
      );
      equal(textOf(await evidence.bytes(ids[0])), "first\u0000\n", "byte for byte");
      equal((await evidence.reading(first.readingId))?.cards, reading(true).cards, "the reading");
      equal(
        (await store.bySymptom(fingerprint, 5)).map((row) => row.id),
        [id],
        "its twin is found",
      );
      await store.editPost(id, {
        editorId: author.id,
        version: 1,
        symptoms: [],
        markdown: "m",
        plain: "m",
        at: 9,
      });
      equal((await store.bySymptom(fingerprint, 5)).length, 1, "an edit of the text leaves it");
    },
  },
  {
    name: "what the doctor knew is shown, what it did not know waits for somebody; once",
    async run(store) {
      const { post, author, other } = await begun(store);
      const { evidence } = store;
      const id = await post("New here", 5);
      const known = await evidence.addDrafts(author.id, [file("k", "k")], reading(true), 6);
      const strange = await evidence.addDrafts(author.id, [file("s", "s")], reading(false), 6);
      await evidence.attach({ postId: id }, author.id, [...known, ...strange], false, 7);
      equal(
        (await evidence.ofPost(id)).map(({ state }) => state),
        ["shown", "waiting"],
        "states",
      );
      equal(
        [await evidence.release(strange[0], other.id, 8), await evidence.release(strange[0], other.id, 8)],
        [true, false],
        "released once",
      );
      equal((await evidence.one(strange[0]))?.state, "shown", "shown");
      equal((await store.watching.notices(author.id, null, 9))[0]?.kind, "evidence", "its owner is told");
    },
  },
  {
    name: "deleted for good: the bytes, the reading's symptoms and the name go, the place stays; drafts leave no place",
    async run(store) {
      const { post, author } = await begun(store);
      const { evidence } = store;
      const id = await post("Deleted", 5);
      const ids = await evidence.addDrafts(
        author.id,
        [file("secret name", "s1"), file("b", "s2")],
        reading(true),
        6,
      );
      await evidence.attach({ postId: id }, author.id, ids, true, 7);
      equal([await evidence.remove(ids[0]), await evidence.remove(ids[0])], [true, false], "once");
      const [place] = await evidence.ofPost(id);
      equal(
        [place.state, place.name, place.sizeBytes, place.marked, place.notes],
        ["deleted", "", 0, "[]", []],
        "place",
      );
      equal(await evidence.bytes(ids[0]), null, "bytes");
      equal((await store.bySymptom(fingerprint, 5)).length, 1, "the other file says it still");
      await evidence.remove(ids[1]);
      equal((await store.bySymptom(fingerprint, 5)).length, 0, "nothing says it");
      equal(await evidence.reading(place.readingId), null, "the reading");
      const [draft] = await evidence.addDrafts(author.id, [file("d", "d")], reading(true), 8);
      equal([await evidence.remove(draft), await evidence.one(draft)], [true, null], "a draft");
      const [old] = await evidence.addDrafts(author.id, [file("o", "o")], reading(true), 8);
      const [young] = await evidence.addDrafts(author.id, [file("y", "y")], reading(true), 20);
      await evidence.forgetDrafts(10);
      equal([await evidence.one(old), (await evidence.one(young))?.id], [null, young], "old drafts");
    },
  },
  {
    name: "files of an answer are the post's too, and end with the answer; of another post's answer, of none: refused",
    async run(store) {
      const { post, reply, author, other } = await begun(store);
      const { evidence } = store;
      const [id, elsewhere] = [await post("Asked", 5), await post("Elsewhere", 5)];
      const [answer, strange] = [await reply(id, "an answer", 6), await reply(elsewhere, "another", 6)];
      const own = await evidence.addDrafts(author.id, [file("p", "p")], reading(true), 6);
      const ids = await evidence.addDrafts(other.id, [file("a", "a")], reading(false), 6);
      await evidence.attach({ postId: id }, author.id, own, true, 7);
      for (const replyId of [strange, answer + 99])
        equal(await evidence.attach({ postId: id, replyId }, other.id, ids, true, 7), null, "no such answer");
      equal(await evidence.attach({ postId: id, replyId: answer }, other.id, ids, true, 7), 1, "attached");
      equal(
        (await evidence.ofPost(id)).map(({ name, replyId }) => [name, replyId]),
        [
          ["p", null],
          ["a", answer],
        ],
        "each in its place",
      );
      equal(
        (await store.bySymptom(fingerprint, 5)).map((row) => row.id),
        [id],
        "its post is found by it",
      );
      await store.deleteReply(answer, 8);
      equal(
        [await evidence.bytes(ids[0]), textOf(await evidence.bytes(own[0]))],
        [null, "p"],
        "with the answer",
      );
      equal(await evidence.attach({ postId: id, replyId: answer }, author.id, own, true, 9), null, "deleted");
    },
  },
  {
    name: "a post that is deleted takes its evidence along, and so does an account",
    async run(store) {
      const { post, author, other } = await begun(store);
      const { evidence } = store;
      const [one, two] = [await post("One", 5), await post("Two", 6)];
      const first = await evidence.addDrafts(author.id, [file("a", "a")], reading(true), 6);
      await evidence.attach({ postId: one }, author.id, first, true, 7);
      const second = await evidence.addDrafts(other.id, [file("b", "b")], reading(true), 6);
      await evidence.attach({ postId: two }, other.id, second, true, 7);
      await store.deletePost(one, 8);
      equal(await evidence.bytes(first[0]), null, "of the post");
      await evidence.removeOf(other.id);
      equal(
        [await evidence.bytes(second[0]), (await evidence.ofPost(two)).map(({ state }) => state)],
        [null, ["deleted"]],
        "of the person",
      );
    },
  },
];
