// Evidence on posts: who may hand it in, who sees it, when it waits, and who ends it.

import type { Board } from "./board.ts";
import type { Evidence, EvidenceReading, EvidenceStore, NewEvidence } from "./evidence-store.ts";
import type { PostRow, Symptom } from "./records.ts";
import { BoardRefusal, notFound } from "./refusal.ts";
import { mayModerate, mustBeActive, tooMany } from "./visitor.ts";

export const mostFiles = 10;
export const mostFileBytes = 8 * 1024 * 1024;
export const mostUploadBytes = 32 * 1024 * 1024;
export const draftLivesMs = 86_400_000;
const uploads = { most: 10, windowMs: 600_000 } as const;
const filesOfPost = 50;

export interface SeenEvidence {
  readonly files: readonly Evidence[];
  readonly waiting: number;
}

export class EvidenceDesk {
  readonly #board: Board;
  readonly store: EvidenceStore;

  constructor(board: Board) {
    this.#board = board;
    this.store = board.store.evidence;
  }

  /** Asked before a byte of a body with files is read. Throws BoardRefusal. */
  mustBeActive(): void {
    mustBeActive(this.#board.actor);
  }

  /** Once a body that brought files. Throws BoardRefusal. */
  async takeUpload(): Promise<void> {
    const who = mustBeActive(this.#board.actor);
    if (who.limits === null) return;
    const now = this.#board.now();
    const wait = await this.#board.store.accounts.take({ name: `upload ${who.id}`, ...uploads, now });
    if (wait > 0) throw tooMany("uploads", "Ten uploads in ten minutes.", wait);
  }

  /** Only redacted bytes come here. */
  async draft(files: readonly NewEvidence[], reading: Omit<EvidenceReading, "id">): Promise<number[]> {
    const who = mustBeActive(this.#board.actor);
    return await this.store.addDrafts(who.id, files, reading, this.#board.now());
  }

  /** "12,13" of a form: what of it is this person's and still a draft. */
  async drafts(list: string): Promise<Evidence[]> {
    const ids = list
      .split(",")
      .filter((word) => /^\d{1,15}$/.test(word))
      .slice(0, mostFiles)
      .map(Number);
    const { actor } = this.#board;
    return actor === null || ids.length === 0 ? [] : await this.store.drafts(actor.id, ids);
  }

  /** Throws BoardRefusal. */
  async attach(postId: number, list: string, replyId: number | null = null): Promise<void> {
    const who = mustBeActive(this.#board.actor);
    const drafts = await this.drafts(list);
    if (drafts.length === 0) return;
    const post = await this.#board.post(postId);
    await this.mustBeOn(postId, replyId);
    if (post.isLocked && !mayModerate(who))
      throw new BoardRefusal("conflict", "locked", "A moderator has locked this post: nothing was changed.");
    const there = (await this.store.ofPost(postId)).filter(({ state }) => state !== "deleted");
    if (there.length + drafts.length > filesOfPost)
      throw new BoardRefusal("invalid", "evidence-many", `A post has at most ${filesOfPost} files.`, "file");
    const ids = drafts.map(({ id }) => id);
    const isShown = who.limits !== "new";
    if ((await this.store.attach({ postId, replyId }, who.id, ids, isShown, this.#board.now())) === null)
      throw notFound("post");
  }

  /** Files may be added there. One "not found" for what never was, stands on another post, is hidden or was deleted. */
  async mustBeOn(postId: number, replyId: number | null): Promise<void> {
    if (replyId === null) return;
    const reply = await this.#board.reply(replyId);
    if (reply.postId !== postId || reply.state === "deleted") throw notFound("reply");
  }

  #sees({ owner, state }: Evidence): boolean {
    const { actor } = this.#board;
    if (state === "shown" || state === "deleted") return true;
    if (actor === null) return false;
    // Somebody known looks first; a draft is its owner's alone.
    return actor.id === owner.id || (state === "waiting" && actor.limits !== "new");
  }

  /** One "not found" for what never was, is not for this person, or stands on a post that is not. */
  async one(id: number): Promise<Evidence> {
    const found = await this.store.one(id);
    if (found === null || found.state === "deleted" || !this.#sees(found)) throw notFound("evidence");
    if (found.postId !== null && (await this.#board.post(found.postId)).state === "deleted")
      throw notFound("evidence");
    // What stands on a hidden answer is as hidden as that.
    if (found.replyId !== null)
      await this.#board.reply(found.replyId).catch(() => Promise.reject(notFound("evidence")));
    return found;
  }

  /** What this person may see of a post's files, by the reply that they belong to (null: the post); how many more wait there. */
  async ofPost(postId: number): Promise<ReadonlyMap<number | null, SeenEvidence>> {
    const seen = new Map<number | null, { files: Evidence[]; waiting: number }>();
    for (const file of await this.store.ofPost(postId)) {
      const there = seen.get(file.replyId) ?? { files: [], waiting: 0 };
      seen.set(file.replyId, there);
      if (this.#sees(file)) there.files.push(file);
      else there.waiting++;
    }
    return seen;
  }

  /** By somebody known who has looked, and not one's own. */
  async release(id: number): Promise<Evidence> {
    const who = mustBeActive(this.#board.actor);
    const found = await this.one(id);
    if (who.limits === "new" || (who.id === found.owner.id && who.limits !== null))
      throw new BoardRefusal(
        "forbidden",
        "not-known",
        "Somebody who is known here looks first: nothing was changed.",
      );
    if (!(await this.store.release(id, who.id, this.#board.now()))) throw notFound("evidence");
    return found;
  }

  /** For good, by its owner or a moderator. */
  async remove(id: number): Promise<Evidence> {
    const who = mustBeActive(this.#board.actor);
    const found = await this.one(id);
    if (found.owner.id !== who.id && !mayModerate(who))
      throw new BoardRefusal("forbidden", "not-yours", "This is somebody else's: nothing was changed.");
    if (!(await this.store.remove(id))) throw notFound("evidence");
    return found;
  }

  /** Posts with the same finding at the same place, or the same rule: before anything is posted. */
  async twins(
    symptoms: readonly Symptom[],
  ): Promise<readonly { readonly symptom: Symptom; readonly posts: readonly PostRow[] }[]> {
    const found = [];
    const seen = new Set<number>();
    // The nearest first: a fingerprint says more than its rule.
    const nearest = [...symptoms].sort((left, right) => nearness(left) - nearness(right)).slice(0, 12);
    for (const symptom of nearest) {
      const posts = (await this.#board.store.bySymptom(symptom, 5)).filter(({ id }) => !seen.has(id));
      for (const { id } of posts) seen.add(id);
      if (posts.length > 0) found.push({ symptom, posts });
    }
    return found;
  }
}

const nearness = ({ kind }: Symptom): number =>
  kind === "fingerprint" ? 0 : kind === "panic_site" ? 1 : kind === "rule" ? 2 : 3;
