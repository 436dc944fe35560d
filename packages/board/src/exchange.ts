// A board out into folders and back: an upgrade's posts come in the same way, and never over what people wrote.

import { TraceHash } from "@drydock/core/base/hash";
import type { Board } from "./board.ts";
import { exportEvidence, importEvidence, readEvidenceFiles } from "./evidence-exchange.ts";
import { detailOf, markdownOf, plainOf, titleOf } from "./field-rules.ts";
import {
  type ExportedFile,
  type FolderReader,
  formatBoosts,
  formatPostFile,
  formatReplyFile,
  formatTopicFile,
  isSafeName,
  type PersonName,
  PostFileError,
  parseBoosts,
  parsePostFile,
  parseReplyFile,
  parseTopicFile,
  replyFileForm,
} from "./post-folder.ts";
import type { Person, Post, Reply } from "./records.ts";
import { symptomsIn } from "./symptoms.ts";

export interface ImportReport {
  readonly added: number;
  readonly updated: number;
  readonly unchanged: number;
  /** Paths whose text people have changed here: theirs stays. */
  readonly kept: readonly string[];
  /** Files that were not as an export writes them: path, and why. Nothing of their post came in. */
  readonly refused: readonly string[];
}

const name = (person: Person): PersonName => ({ handle: person.handle, shownName: person.shownName });

/** Every post, in a stable order: same board, same bytes. */
export async function* exportBoard(board: Board): AsyncGenerator<ExportedFile> {
  const { store } = board;
  const slugs = new Map<number, string>();
  for (const topic of await store.topics()) {
    slugs.set(topic.id, topic.slug);
    yield { path: [topic.slug, "topic.md"], text: formatTopicFile(topic) };
  }
  for (let after = 0; ; ) {
    const posts = await store.everyPost(after, 100);
    for (const post of posts) yield* exportPost(board, post, slugs.get(post.topicId) ?? "topic");
    const last = posts.at(-1);
    if (last === undefined) return;
    after = last.id;
  }
}

async function* exportPost(board: Board, post: Post, topicSlug: string): AsyncGenerator<ExportedFile> {
  const { store } = board;
  const place = [topicSlug, post.folder];
  const replies = await store.replies(post.id);
  const fileOf = new Map(replies.map((reply) => [reply.id, reply.file]));
  const original = post.duplicateOf === null ? null : await store.post(post.duplicateOf);
  yield {
    path: [...place, "post.md"],
    text: formatPostFile({
      ...post,
      author: name(post.author),
      // What a folder is named after, whether this version's casebook has it or not.
      caseId: caseOfFolder(post.folder) ?? post.caseId,
      duplicateOf: original === null || original.state === "deleted" ? null : original.folder,
      accepted: post.acceptedReplyId === null ? null : (fileOf.get(post.acceptedReplyId) ?? null),
    }),
  };
  const parents = new Set(
    replies.filter((reply) => reply.state !== "deleted").map((reply) => reply.parentId),
  );
  for (const reply of replies) {
    if (reply.state === "deleted" && !parents.has(reply.id)) continue;
    yield { path: [...place, "replies", reply.file], text: replyText(reply, fileOf) };
  }
  yield* exportEvidence(store, post.id, place, fileOf);
  const boosts = await store.boosts(post.id, 100_000);
  if (boosts.length > 0)
    yield {
      path: [...place, "boosts.txt"],
      text: formatBoosts(
        boosts
          .map(({ at, person, os, hardware }) => ({ at, author: name(person), os, hardware }))
          .sort((left, right) => (left.author.handle < right.author.handle ? -1 : 1)),
      ),
    };
}

const replyText = (reply: Reply, fileOf: ReadonlyMap<number, string>): string =>
  formatReplyFile({
    author: name(reply.author),
    kind: reply.kind,
    state: reply.state,
    parent: reply.parentId === null ? null : (fileOf.get(reply.parentId) ?? null),
    createdAt: reply.createdAt,
    markdown: reply.markdown,
  });

/** What an import compares: did people change this since we wrote it? */
function contentHash(...parts: readonly string[]): string {
  const hash = new TraceHash();
  for (const part of parts) hash.text(part);
  return hash.digest();
}

/**
 * Reads folders as {@link exportBoard} writes them. A post that is here (by its folder's name) is updated where nobody
 * changed it, and kept where somebody did. `source`: "seed" for what comes with the project.
 */
export async function importBoard(
  board: Board,
  folder: FolderReader,
  source: "own" | "seed",
): Promise<ImportReport> {
  const report = { added: 0, updated: 0, unchanged: 0, kept: [] as string[], refused: [] as string[] };
  const rest: Rest = { duplicates: [], hidden: [] };
  let position = 0;
  for (const slug of await folder.list([])) {
    const topicText = isSafeName(slug) ? await folder.read([slug, "topic.md"]) : null;
    if (topicText === null) continue;
    try {
      const topic = await board.store.putTopic({ slug, ...parseTopicFile(topicText) }, ++position);
      for (const entry of await folder.list([slug])) {
        if (!isSafeName(entry)) {
          report.refused.push(`${slug}/${entry}: such a name is not read`);
          continue;
        }
        const text = await folder.read([slug, entry, "post.md"]);
        if (text === null) continue;
        try {
          await importPost(board, folder, { slug, entry, text, topicId: topic.id, source }, report, rest);
        } catch (error) {
          report.refused.push(`${slug}/${entry}: ${reasonOf(error)}`);
        }
      }
    } catch (error) {
      report.refused.push(`${slug}/topic.md: ${reasonOf(error)}`);
    }
  }
  for (const [postId, of] of rest.duplicates) {
    const original = await board.store.postByFolder(of);
    const post = await board.store.post(postId);
    if (original !== null && post !== null && post.duplicateOf !== original.id)
      await board.store.markDuplicate(postId, original.id, post.activityAt);
  }
  for (const postId of rest.hidden) await board.store.setImported(postId, { state: "hidden" });
  return report;
}

function reasonOf(error: unknown): string {
  if (error instanceof PostFileError || (error instanceof Error && error.name === "BoardRefusal"))
    return error.message;
  throw error;
}

/** What waits until every post is there: what is hidden takes nothing more. */
interface Rest {
  readonly duplicates: [number, string][];
  readonly hidden: number[];
}

interface Incoming {
  readonly slug: string;
  readonly entry: string;
  readonly text: string;
  readonly topicId: number;
  readonly source: "own" | "seed";
}

async function importPost(
  board: Board,
  folder: FolderReader,
  incoming: Incoming,
  report: { added: number; updated: number; unchanged: number; kept: string[]; refused: string[] },
  rest: Rest,
): Promise<void> {
  const { store } = board;
  const { slug, entry } = incoming;
  const file = parsePostFile(incoming.text);
  // Everything is read and judged before anything is written: a damaged reply keeps its whole post out.
  const replies = [];
  for (const replyName of await folder.list([slug, entry, "replies"])) {
    if (!replyFileForm.test(replyName))
      throw new PostFileError(1, `replies/${replyName}: a reply's file is named 000001.md`);
    const text = await folder.read([slug, entry, "replies", replyName]);
    if (text === null) continue;
    try {
      const reply = parseReplyFile(text);
      replies.push({
        name: replyName,
        file: reply,
        markdown: reply.state === "deleted" ? "" : markdownOf(reply.markdown, "reply"),
      });
    } catch (error) {
      throw new PostFileError(1, `replies/${replyName}: ${reasonOf(error)}`);
    }
  }
  const boosts = parseBoosts((await folder.read([slug, entry, "boosts.txt"])) ?? "");
  const evidence = await readEvidenceFiles(folder, [slug, entry], new Set(replies.map(({ name }) => name)));
  const [title, markdown] = [titleOf(file.title), markdownOf(file.markdown, "post")];
  const content = contentHash(title, markdown, [...file.tags].sort().join());
  const path = `${slug}/${entry}/post.md`;
  const here = await store.postByFolder(entry);
  let postId: number;
  if (here === null) {
    const author = await personOf(board, file.author, file.createdAt);
    ({ id: postId } = await store.addPost(
      {
        topicId: incoming.topicId,
        authorId: author.id,
        kind: file.kind,
        title,
        markdown,
        plain: plainOf(markdown),
        tags: file.tags,
        symptoms: symptomsIn(`${title}\n${markdown}`),
        at: file.createdAt,
        source: incoming.source,
        // Answers come below it first.
        state: file.state === "hidden" ? "open" : file.state,
        caseId: file.caseId,
        isPinned: file.isPinned,
        isLocked: file.isLocked,
        folder: entry,
        origin: file.origin,
      },
      { key: null, at: file.createdAt },
    ));
    await store.setImported(postId, { views: file.views });
    report.added++;
  } else {
    postId = here.id;
    const current = contentHash(here.title, here.markdown, here.tags.join());
    const imported = await store.importedHash(path);
    // Nothing new since the last time, whatever people made of it; and what they deleted stays deleted.
    if (current === content || imported === content || here.state === "deleted") report.unchanged++;
    else if (imported === current) {
      await store.editPost(postId, {
        editorId: here.author.id,
        version: here.version,
        title,
        tags: file.tags,
        symptoms: symptomsIn(`${title}\n${markdown}`),
        markdown,
        plain: plainOf(markdown),
        at: here.activityAt,
      });
      report.updated++;
    } else {
      // Said once: the next start knows that this version was seen.
      report.kept.push(path);
    }
  }
  await store.setImportedHash(path, content);
  const isNew = here === null;
  await importReplies(board, postId, `${slug}/${entry}`, replies, incoming.source, isNew, report);
  if (isNew) {
    const idOf = new Map((await store.replies(postId)).map((reply) => [reply.file, reply.id]));
    for (const file of evidence) {
      const owner = await personOf(board, file.about.author, file.about.createdAt);
      await importEvidence(
        store,
        { postId, replyId: idOf.get(file.about.reply ?? "") ?? null },
        owner.id,
        file,
      );
    }
    for (const boost of boosts) {
      const person = await personOf(board, boost.author, boost.at);
      await store.boost({
        postId,
        personId: person.id,
        at: boost.at,
        os: detailOf(boost.os, "os"),
        hardware: detailOf(boost.hardware, "hardware"),
      });
    }
    await store.setImported(postId, {
      acceptedFile: file.accepted,
      activityAt: file.activityAt,
      hiddenFiles: replies.filter((reply) => reply.file.state === "hidden").map((reply) => reply.name),
    });
    if (file.duplicateOf !== null) rest.duplicates.push([postId, file.duplicateOf]);
    if (file.state === "hidden") rest.hidden.push(postId);
  }
}

async function importReplies(
  board: Board,
  postId: number,
  place: string,
  replies: readonly { name: string; file: ReturnType<typeof parseReplyFile>; markdown: string }[],
  source: "own" | "seed",
  isNew: boolean,
  report: { updated: number; kept: string[] },
): Promise<void> {
  const { store } = board;
  const known = new Map((await store.replies(postId)).map((reply) => [reply.file, reply]));
  for (const { name: replyName, file, markdown } of replies) {
    const path = `${place}/replies/${replyName}`;
    const content = contentHash(markdown);
    const here = known.get(replyName);
    if (here === undefined) {
      // A reply that people deleted here does not come back; one that is new in this release comes.
      if (!isNew && (await store.importedHash(path)) !== null) continue;
      const author = await personOf(board, file.author, file.createdAt);
      const parent = file.parent === null ? null : known.get(file.parent);
      if (parent === undefined)
        throw new PostFileError(1, `replies/${replyName}: there is no ${file.parent} before it`);
      const done = await store.addReply(
        {
          postId,
          parentId: parent?.id ?? null,
          authorId: author.id,
          kind: file.kind,
          markdown,
          plain: plainOf(markdown),
          symptoms: symptomsIn(markdown),
          at: file.createdAt,
          source,
          file: replyName,
          isPastLock: true,
        },
        { key: null, at: file.createdAt },
      );
      if (done === null || done === "locked") continue;
      const added = await store.reply(done.id);
      if (added !== null) known.set(replyName, added);
      if (file.state === "deleted") await store.deleteReply(done.id, file.createdAt);
    } else {
      const current = contentHash(here.markdown);
      const imported = await store.importedHash(path);
      if (here.state !== "shown" || current === content || imported === content) {
        // As it was, or nothing new, or deleted by people.
      } else if (imported !== current) report.kept.push(path);
      else {
        await store.editReply(here.id, {
          editorId: here.author.id,
          version: here.version,
          symptoms: symptomsIn(markdown),
          markdown,
          plain: plainOf(markdown),
          at: here.createdAt,
        });
        report.updated++;
      }
    }
    await store.setImportedHash(path, content);
  }
}

async function personOf(board: Board, { handle, shownName }: PersonName, at: number): Promise<Person> {
  return await board.store.person(handle, shownName, "writer", at);
}

const caseOfFolder = (folder: string): string | null => /^(P\d{2,3})-/.exec(folder)?.[1] ?? null;

/** Posts whose folder is named after a case gain it as soon as the casebook has it. */
export async function gainCases(board: Board, caseIds: ReadonlySet<string>): Promise<void> {
  for (const topic of await board.store.topics())
    for (const row of await board.store.originRows(topic.id)) {
      const id = caseOfFolder(row.folder);
      const caseId = id !== null && caseIds.has(id) ? id : null;
      if (row.caseId !== caseId) await board.store.setImported(row.id, { caseId });
    }
}
