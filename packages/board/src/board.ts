// The board: what people may do with it. Every rule is here; the store below keeps, the pages above show.

import type { ActKey, ActLimit, BoardStore, Done, SearchAsk, SearchHit } from "./board-store.ts";
import { detailOf, markdownOf, plainOf, tagsOf, titleOf } from "./field-rules.ts";
import type { Cursor } from "./listing.ts";
import type { Person, Post, Reply, Symptom, Topic } from "./records.ts";
import { BoardRefusal, LimitReached, notFound } from "./refusal.ts";
import { parseSearch } from "./search-query.ts";
import { symptomsIn } from "./symptoms.ts";
import { limitsOf, mayEdit, mayModerate, mustBeActive, tooMany, type Visitor } from "./visitor.ts";

export interface PostDraft {
  readonly title: string;
  readonly markdown: string;
  /** As typed: by commas or spaces. */
  readonly tags: string | readonly string[];
}

export interface SearchFilter {
  readonly topic?: string | undefined;
  readonly tag?: string | undefined;
  readonly state?: string | undefined;
  readonly has?: string | undefined;
  readonly os?: string | undefined;
}

export interface SearchResult {
  readonly hits: readonly SearchHit[];
  readonly symptoms: readonly Symptom[];
  readonly words: readonly string[];
  /** Place of the next page; null at the end. */
  readonly next: Cursor | null;
}

export interface BoardPeople {
  /** Author of what the project itself says. */
  readonly project: Person;
  /** The one owner of a board on loopback; whoever acts without an account. */
  readonly owner: Person;
}

const longestKey = 64;
const hitsOfPage = 20;

export class Board {
  readonly store: BoardStore;
  readonly people: BoardPeople;
  /** Who acts; null: nobody is signed in. */
  readonly actor: Visitor | null;
  readonly #clock: { readonly now: () => number; latest: number };

  private constructor(
    store: BoardStore,
    people: BoardPeople,
    actor: Visitor | null,
    clock: { readonly now: () => number; latest: number },
  ) {
    this.store = store;
    this.people = people;
    this.actor = actor;
    this.#clock = clock;
  }

  /** `now`: milliseconds UTC; may jump. */
  static async open(store: BoardStore, now: () => number): Promise<Board> {
    const at = now();
    const people = {
      project: await store.person("drydock", "Drydock", "project", at),
      owner: await store.person("owner", "You", "owner", at),
    };
    const actor = { ...people.owner, state: "active" as const, limits: null };
    return new Board(store, people, actor, { now, latest: 0 });
  }

  /** The same board, for this person. */
  as(actor: Visitor | null): Board {
    return new Board(this.store, this.people, actor, this.#clock);
  }

  /** Who writes. Throws BoardRefusal. */
  #writer(): Visitor {
    return mustBeActive(this.actor);
  }

  /** Whether this person sees what is hidden: moderators, and the author. */
  #sees(author: Person): boolean {
    return this.actor !== null && (mayModerate(this.actor) || this.actor.id === author.id);
  }

  #mustOwn(actor: Visitor, author: Person): void {
    if (!mayEdit(actor, author))
      throw new BoardRefusal("forbidden", "not-yours", "This is somebody else's: nothing was changed.");
  }

  /** Never earlier than it was before: a clock set back does not reorder what people did. */
  now(): number {
    this.#clock.latest = Math.max(this.#clock.latest, Math.floor(this.#clock.now()));
    return this.#clock.latest;
  }

  async topic(slug: string): Promise<Topic> {
    const topic = await this.store.topic(slug);
    if (topic === null) throw notFound("topic");
    return topic;
  }

  async post(id: number): Promise<Post> {
    const post = await this.store.post(id);
    if (post === null || (post.state === "hidden" && !this.#sees(post.author))) throw notFound("post");
    return post;
  }

  async reply(id: number): Promise<Reply> {
    const reply = await this.store.reply(id);
    if (reply === null || (reply.state === "hidden" && !this.#sees(reply.author))) throw notFound("reply");
    // What stands below a hidden post is as hidden as that.
    await this.post(reply.postId);
    return reply;
  }

  /** What this person may see of a post's answers. */
  async replies(postId: number): Promise<Reply[]> {
    const replies = await this.store.replies(postId);
    return replies.filter(({ state, author }) => state !== "hidden" || this.#sees(author));
  }

  /** `key`: drawn by the form; the same key again answers the first post. */
  async addPost(topicSlug: string, draft: PostDraft, key: string | null = null): Promise<Done> {
    const topic = await this.topic(topicSlug);
    const { title, markdown, tags } = checkedDraft(draft);
    const author = this.#writer();
    const at = this.now();
    const act = actKey(`post ${author.id}`, key, at, limitsOf(author, "post"));
    return await withinLimits(
      this.store.addPost(
        {
          topicId: topic.id,
          authorId: author.id,
          kind: "question",
          title,
          markdown,
          plain: plainOf(markdown),
          tags,
          symptoms: symptomsIn(`${title}\n${markdown}`),
          at,
          source: "own",
          isTold: true,
        },
        act,
      ),
    );
  }

  async addReply(
    postId: number,
    reply: { readonly markdown: string; readonly parentId?: number | null },
    key: string | null = null,
  ): Promise<Done> {
    const markdown = markdownOf(reply.markdown, "reply");
    const parentId = reply.parentId ?? null;
    if (parentId !== null) {
      const parent = await this.store.reply(parentId);
      if (parent === null || parent.postId !== postId || parent.state !== "shown") throw notFound("answer");
      if (parent.parentId !== null)
        throw new BoardRefusal(
          "invalid",
          "too-deep",
          "Comments have no comments: write below the answer.",
          "parent",
        );
    }
    const author = this.#writer();
    const at = this.now();
    const act = actKey(`reply ${author.id}`, key, at, limitsOf(author, "reply"));
    const done = await withinLimits(
      this.store.addReply(
        {
          postId,
          parentId,
          authorId: author.id,
          kind: parentId === null ? "answer" : "comment",
          markdown,
          plain: plainOf(markdown),
          symptoms: symptomsIn(markdown),
          at,
          source: "own",
          isTold: true,
          isByKnown: author.limits !== "new",
          isPastLock: mayModerate(author),
        },
        act,
      ),
    );
    if (done === null) throw notFound("post");
    if (done === "locked") throw locked();
    return done;
  }

  /** `version`: the one that the form was filled from. */
  async editPost(id: number, draft: PostDraft, version: number): Promise<number> {
    const { title, markdown, tags } = checkedDraft(draft);
    const editor = this.#writer();
    const post = await this.post(id);
    this.#mustOwn(editor, post.author);
    if (post.isLocked && !mayModerate(editor)) throw locked();
    return edited(
      await this.store.editPost(id, {
        editorId: editor.id,
        version,
        title,
        tags,
        symptoms: symptomsIn(`${title}\n${markdown}`),
        markdown,
        plain: plainOf(markdown),
        at: this.now(),
      }),
      "post",
    );
  }

  async editReply(id: number, text: string, version: number): Promise<number> {
    const markdown = markdownOf(text, "reply");
    const editor = this.#writer();
    const reply = await this.reply(id);
    this.#mustOwn(editor, reply.author);
    if (!mayModerate(editor) && (await this.post(reply.postId)).isLocked) throw locked();
    return edited(
      await this.store.editReply(id, {
        editorId: editor.id,
        version,
        symptoms: symptomsIn(markdown),
        markdown,
        plain: plainOf(markdown),
        at: this.now(),
      }),
      "reply",
    );
  }

  async deletePost(id: number): Promise<void> {
    const actor = this.#writer();
    this.#mustOwn(actor, (await this.post(id)).author);
    if (!(await this.store.deletePost(id, this.now()))) throw notFound("post");
  }

  async deleteReply(id: number): Promise<void> {
    const actor = this.#writer();
    this.#mustOwn(actor, (await this.reply(id)).author);
    if (!(await this.store.deleteReply(id, this.now()))) throw notFound("reply");
  }

  /** "I have this too." */
  async boost(
    postId: number,
    detail: { readonly os?: string; readonly hardware?: string } = {},
  ): Promise<void> {
    const who = this.#writer();
    const kept = await this.store.boost({
      postId,
      personId: who.id,
      at: this.now(),
      os: detailOf(detail.os ?? "", "os"),
      hardware: detailOf(detail.hardware ?? "", "hardware"),
      isTold: true,
      isByKnown: who.limits !== "new",
    });
    if (!kept) throw notFound("post");
  }

  async unboost(postId: number): Promise<void> {
    const who = this.#writer();
    await this.post(postId);
    await this.store.unboost(postId, who.id);
  }

  async accept(postId: number, replyId: number | null): Promise<void> {
    const actor = this.#writer();
    this.#mustOwn(actor, (await this.post(postId)).author);
    const by = { id: actor.id, isKnown: actor.limits !== "new" };
    if (!(await this.store.accept(postId, replyId, this.now(), by))) throw notFound("answer");
  }

  /** Marks a post as the same case as another one, or takes that back with null. */
  async markDuplicate(postId: number, of: number | null): Promise<void> {
    if (of === postId)
      throw new BoardRefusal("invalid", "own-duplicate", "A post is not a duplicate of itself.", "of");
    const actor = this.#writer();
    this.#mustOwn(actor, (await this.post(postId)).author);
    if (of !== null) await this.post(of);
    if (!(await this.store.markDuplicate(postId, of, this.now()))) throw notFound("post");
  }

  /** Posts that share a symptom with this text: shown before it is posted. */
  async similar(
    text: string,
  ): Promise<{ readonly symptom: Symptom; readonly posts: readonly { id: number; title: string }[] }[]> {
    const found = [];
    for (const symptom of symptomsIn(text).slice(0, 8)) {
      const posts = await this.store.bySymptom(symptom, 5);
      if (posts.length > 0) found.push({ symptom, posts });
    }
    return found;
  }

  async search(text: string, filter: SearchFilter = {}, after: Cursor | null = null): Promise<SearchResult> {
    const { words, symptoms } = parseSearch(text);
    const { state, has } = filter;
    if (state !== undefined && state !== "" && state !== "open" && state !== "solved")
      throw new BoardRefusal("invalid", "bad-state", "A state is open or solved.", "state");
    if (has !== undefined && has !== "" && has !== "answer" && has !== "run")
      throw new BoardRefusal("invalid", "bad-has", "A post has an answer or a run.", "has");
    const topicId =
      filter.topic === undefined || filter.topic === "" ? null : (await this.topic(filter.topic)).id;
    const ask: SearchAsk = {
      words,
      symptoms,
      topicId,
      tag: filter.tag === undefined || filter.tag === "" ? null : filter.tag.toLowerCase(),
      state: state === "open" || state === "solved" ? state : null,
      hasAnswer: has === "answer",
      hasCase: has === "run",
      os: filter.os === undefined || filter.os === "" ? null : filter.os,
      after,
      limit: hitsOfPage + 1,
    };
    if (words.length === 0 && symptoms.length === 0) return { hits: [], symptoms, words, next: null };
    const found = await this.store.search(ask);
    const hits = found.slice(0, hitsOfPage);
    const last = hits.at(-1);
    return {
      hits,
      symptoms,
      words,
      next: found.length > hitsOfPage && last !== undefined ? { key: last.score, id: last.id } : null,
    };
  }
}

function checkedDraft(draft: PostDraft): { title: string; markdown: string; tags: string[] } {
  return {
    title: titleOf(draft.title),
    markdown: markdownOf(draft.markdown, "post"),
    tags: tagsOf(draft.tags),
  };
}

/** `scope`: the same word of another person, or for another act, is another key. */
function actKey(scope: string, key: string | null, at: number, limits: readonly ActLimit[]): ActKey {
  if (key === null || key === "") return { key: null, at, limits };
  if (key.length > longestKey || !/^[\w-]+$/.test(key))
    throw new BoardRefusal("invalid", "bad-key", "The form's key is damaged: load the page again.", "key");
  return { key: `${scope} ${key}`, at, limits };
}

async function withinLimits<T>(act: Promise<T>): Promise<T> {
  try {
    return await act;
  } catch (error) {
    throw error instanceof LimitReached ? tooMany(error.code, error.text, error.waitMs) : error;
  }
}

const locked = (): BoardRefusal =>
  new BoardRefusal(
    "conflict",
    "locked",
    "A moderator has locked this post: nothing was changed. Its log says why.",
  );

function edited(answer: "missing" | "changed" | number, what: string): number {
  if (answer === "missing") throw notFound(what);
  if (answer === "changed")
    throw new BoardRefusal(
      "conflict",
      "changed-meanwhile",
      `This ${what} was changed since you opened it. Your text is below; compare it with the newest one and send it again.`,
      "version",
    );
  return answer;
}
