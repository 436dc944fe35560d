// Writes to a board for ever, and says each act only when it is acknowledged: the program that gets killed.

import { writeSync } from "node:fs";
import { Board } from "@drydock/board/board";
import { Moderation } from "@drydock/board/moderation";
import { Random } from "@drydock/core/base/random";
import { SqliteBoardStore } from "@drydock/node/store/sqlite-board-store";

const [path, seed] = [process.argv[2], Number(process.argv[3])];
const random = new Random(seed);
const store = SqliteBoardStore.open(path);
await store.putTopic(
  { slug: "drivers", name: "Drivers", description: "", documentationUrl: "/docs", documentationName: "Docs" },
  1,
);
const board = await Board.open(store, Date.now);
/** One line an act, out of this process before the next act begins. */
const told = (act: string, id: number, text = "") => writeSync(1, `${act} ${id} ${text}\n`);
const posts: number[] = [];
for (let act = 0; ; act++) {
  const post = posts[random.next32() % Math.max(1, posts.length)] ?? 0;
  const text = `mark${seed}x${act} 0xe00002e2`;
  const kind = posts.length < 3 ? 0 : random.next32() % 7;
  if (kind === 0) {
    const { id } = await board.addPost("drivers", { title: text, markdown: text, tags: ["kill"] });
    posts.push(id);
    told("post", id, text);
  } else if (kind <= 2) {
    const { id } = await board.addReply(post, { markdown: text });
    told("reply", id, text);
  } else if (kind === 3) {
    await board.editPost(post, { title: text, markdown: text, tags: [] }, (await board.post(post)).version);
    told("edit", post, text);
  } else if (kind === 4) {
    await board.boost(post, { os: text.slice(0, 20) });
    told("boost", post);
  } else if (kind === 5) {
    const { isLocked } = await board.post(post);
    await new Moderation(board).lock(post, !isLocked, text);
    told("lock", post, text);
  } else {
    const viewer = Uint8Array.of(seed & 255, seed >> 8, act & 255, act >> 8);
    if (await store.countView({ postId: post, day: 1, viewer, minute: act, perMinute: 60 }))
      told("view", post);
  }
}
