// Acts on a board that may be killed at any moment, and whether what was acknowledged is there.

import assert from "node:assert/strict";
import type { BoardStore } from "@drydock/board/board-store";
import type { Random } from "@drydock/core/base/random";

/** Lines "ACT ID TEXT" of acknowledged acts, as they come; each is looked for once, and the counts of what it touched. */
export class ToldActs {
  readonly #counts = new Map<number, { replies: number; views: number; isBoosted: boolean }>();
  #unchecked: string[] = [];

  add(...lines: readonly string[]): void {
    this.#unchecked.push(...lines);
  }

  #of(id: number) {
    const known = this.#counts.get(id) ?? { replies: 0, views: 0, isBoosted: false };
    this.#counts.set(id, known);
    return known;
  }

  /** Every act that was told is there, and counters are no less than what was told of them. */
  async mustBeThere(store: BoardStore): Promise<void> {
    const lines = this.#unchecked;
    this.#unchecked = [];
    const touched = new Set<number>();
    // Later edits of a post hide earlier ones: its revisions hold every text that it had.
    const texts = new Map<number, Set<string>>();
    const log = new Set(
      (await store.moderation.log({ subject: null, before: null, limit: 500 })).map(({ reason }) => reason),
    );
    for (const line of lines) {
      const [act, number, ...words] = line.split(" ");
      const [id, text] = [Number(number), words.join(" ")];
      if (act === "post" || act === "edit") {
        if (!texts.has(id))
          texts.set(id, new Set((await store.revisions("post", id)).map(({ markdown }) => markdown)));
        assert.ok(texts.get(id)?.has(text), `lost: ${line}`);
      } else if (act === "reply") {
        const reply = await store.reply(id);
        assert.equal(reply?.markdown, text, `lost: ${line}`);
        const postId = reply?.postId ?? 0;
        touched.add(postId);
        this.#of(postId).replies++;
        continue;
      } else if (act === "lock") assert.ok(log.has(text), `lost: ${line}`);
      else if (act === "boost") this.#of(id).isBoosted = true;
      else this.#of(id).views++;
      touched.add(id);
    }
    for (const id of touched) {
      const { replies, views, isBoosted } = this.#of(id);
      const post = await store.post(id);
      assert.ok((post?.replies ?? 0) >= replies, `post ${id}: ${post?.replies} replies of ${replies}`);
      assert.ok((post?.views ?? 0) >= views, `post ${id}: ${post?.views} views of ${views}`);
      if (isBoosted) assert.equal(post?.boosts, 1);
    }
  }

  /** Nobody else writes: what was sent again, since nobody had answered, was done once. */
  async mustBeOnce(store: BoardStore): Promise<void> {
    for (const [id, { replies }] of this.#counts) {
      const there = await store.replies(id);
      assert.equal(there.length, replies, `post ${id}: replies`);
      assert.equal(new Set(there.map(({ markdown }) => markdown)).size, replies, `post ${id}: a reply twice`);
    }
  }
}

/** Sends until somebody answers for the board, and answers that. */
export type SurelySent = (path: string, init: RequestInit) => Promise<Response>;

/** Writes over HTTP; a line for each act that was acknowledged. `name`: of whoever writes, in every text. */
export async function* killActs(
  send: SurelySent,
  name: string,
  random: Random,
  isOver: () => boolean,
): AsyncGenerator<string> {
  const ask = async (method: string, path: string, body?: unknown) => {
    const answer = await send(path, {
      method,
      headers: { accept: "application/json", "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: await answer.json() };
  };
  const done = async (method: string, path: string, body: unknown) => {
    const answer = await ask(method, path, body);
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const posts: number[] = [];
  for (let act = 0; !isOver(); act++) {
    const post = posts[random.next32() % Math.max(1, posts.length)] ?? 0;
    const text = `${name}x${act} 0xe00002e2`;
    const key = `${name}-act-${act}`;
    const kind = posts.length < 3 ? 0 : random.next32() % 8;
    if (kind === 0) {
      const { id } = await done("POST", "/t/drivers/posts", {
        title: text,
        markdown: text,
        tags: "kill",
        key,
      });
      posts.push(id);
      yield `post ${id} ${text}`;
    } else if (kind <= 4) {
      const { id } = await done("POST", `/p/${post}/replies`, { markdown: text, key });
      yield `reply ${id} ${text}`;
    } else if (kind <= 6) {
      const { version } = (await ask("GET", `/p/${post}.json`)).body;
      const edit = { title: text, markdown: text, tags: "", version };
      const { status, body } = await ask("PUT", `/p/${post}`, edit);
      // Sent again after it had been done: then the post has this text.
      if (status === 409) assert.equal((await ask("GET", `/p/${post}.json`)).body.markdown, text);
      else assert.equal(status, 200, JSON.stringify(body));
      yield `edit ${post} ${text}`;
    } else {
      await done("PUT", `/p/${post}/boost`, { os: text.slice(0, 20) });
      yield `boost ${post} `;
    }
  }
}
