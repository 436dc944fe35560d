// Routes of evidence: handing in, looking, releasing, deleting. No byte is ever served as a document.

import { isoTime } from "@drydock/board/activity-text";
import { EvidenceDesk } from "@drydock/board/evidence";
import type { Evidence } from "@drydock/board/evidence-store";
import type { Symptom } from "@drydock/board/records";
import { BoardRefusal } from "@drydock/board/refusal";
import type { Context } from "hono";
import { postPath } from "./board-links.ts";
import { readFields } from "./doors.ts";
import type { EvidenceCard, HandedFile } from "./evidence-reading.ts";
import { numberIn } from "./moderation-routes.ts";
import { addEvidencePage, evidencePage, type ShownEvidence, type Twins } from "./pages/evidence-pages.ts";
import { type BoardRoute, type BoardSite, sendPage, statusOf, wantsJson } from "./route.ts";
import { isUpload, readUpload } from "./upload.ts";

/** What came of files: ids of drafts, and names with reasons of what was not kept. */
export interface HandedIn {
  readonly ids: readonly number[];
  readonly refused: readonly string[];
}

/** Redacts, diagnoses and keeps as drafts. Throws BoardRefusal. */
export async function handIn(site: BoardSite, files: readonly HandedFile[]): Promise<HandedIn> {
  if (files.length === 0) return { ids: [], refused: [] };
  const today = isoTime(site.board.now()).slice(0, 10);
  let read: Awaited<ReturnType<BoardSite["evidence"]["ask"]>>;
  try {
    read = await site.evidence.ask({ files, today });
  } catch (error) {
    if (error instanceof BoardRefusal) throw error;
    throw new BoardRefusal(
      "invalid",
      "unreadable",
      "The doctor could not read these files to their end, so nothing of them was kept. Give the text that a tool prints of them.",
      "file",
    );
  }
  const ids =
    read.files.length === 0 ? [] : await new EvidenceDesk(site.board).draft(read.files, read.reading);
  return { ids, refused: read.refused };
}

/** Ids as a form carries them, without the one that is left out. */
export const idsOf = (
  list: string | undefined,
  drop: string | undefined,
  more: readonly number[] = [],
): string =>
  [...(list ?? "").split(","), ...more.map(String)].filter((id) => id !== "" && id !== drop).join(",");

/** A form's drafts as its page shows them, and the posts that have the same. */
export async function shownDrafts(
  site: BoardSite,
  list: string,
  refused: readonly string[] = [],
): Promise<{ readonly shown: ShownEvidence; readonly twins: Twins }> {
  const desk = new EvidenceDesk(site.board);
  const files = await desk.drafts(list);
  const { cards, symptoms } = await readingsOf(site, files);
  return { shown: { files, cards, refused }, twins: await desk.twins(symptoms) };
}

export async function readingsOf(
  site: BoardSite,
  files: readonly Evidence[],
): Promise<{ readonly cards: readonly EvidenceCard[]; readonly symptoms: readonly Symptom[] }> {
  const cards: EvidenceCard[] = [];
  const symptoms: Symptom[] = [];
  const ids = new Set(files.filter(({ state }) => state !== "deleted").map(({ readingId }) => readingId));
  for (const id of ids) {
    const reading = await site.board.store.evidence.reading(id);
    if (reading === null) continue;
    // Files that came in one by one may say the same.
    for (const card of JSON.parse(reading.cards) as EvidenceCard[])
      if (!cards.some(({ rule, claim }) => rule === card.rule && claim === card.claim)) cards.push(card);
    symptoms.push(...reading.symptoms);
  }
  return { cards, symptoms };
}

const draftJson = ({ id, name, sizeBytes, sha256, marks, notes, state }: Evidence) => ({
  id,
  name,
  sizeBytes,
  sha256,
  marks,
  notes,
  state,
});

async function sendDrafts(c: Context, site: BoardSite): Promise<Response> {
  const desk = new EvidenceDesk(site.board);
  if (!isUpload(c)) {
    await readFields(c, "evidence");
    throw new BoardRefusal(
      "invalid",
      "no-files",
      "Files come as multipart/form-data, in the field file.",
      "file",
    );
  }
  const { files } = await readUpload(c, "evidence", desk);
  const { ids, refused } = await handIn(site, files);
  const { shown, twins } = await shownDrafts(site, ids.join(","), refused);
  return c.json(
    {
      drafts: shown.files.map(draftJson),
      cards: shown.cards,
      refused,
      twins: twins.map(({ symptom, posts }) => ({
        symptom,
        posts: posts.map(({ id, title }) => ({ id, title })),
      })),
    },
    201,
  );
}

const replyOf = (text: string | undefined): number | null =>
  text === undefined || !/^\d{1,15}$/.test(text) ? null : Number(text);

async function addEvidence(c: Context, site: BoardSite): Promise<Response> {
  const desk = new EvidenceDesk(site.board);
  const post = await site.board.post(numberIn(c));
  const { fields, files } = isUpload(c)
    ? await readUpload(c, "evidence", desk)
    : { fields: await readFields(c, "evidence"), files: [] };
  const replyId = replyOf(fields.reply);
  await desk.mustBeOn(post.id, replyId);
  try {
    const { ids, refused } = await handIn(site, files);
    const list = idsOf(fields.evidence, fields.drop, ids);
    if (files.length === 0 && fields.drop === undefined && list !== "") {
      await desk.attach(post.id, list, replyId);
      if (wantsJson(c)) return c.json({ done: true });
      return c.redirect(postPath(post) + (replyId === null ? "" : `?answer=${replyId}#r${replyId}`), 303);
    }
    const { shown, twins } = await shownDrafts(site, list, refused);
    if (wantsJson(c)) return c.json({ drafts: shown.files.map(draftJson), cards: shown.cards, refused });
    return sendAdding(c, site, { post, replyId }, shown, twins, null);
  } catch (error) {
    if (wantsJson(c) || !(error instanceof BoardRefusal) || error.kind === "signed_out") throw error;
    if (error.retryAfter !== null) c.header("Retry-After", String(error.retryAfter));
    const { shown, twins } = await shownDrafts(site, idsOf(fields.evidence, fields.drop));
    return sendAdding(c, site, { post, replyId }, shown, twins, error);
  }
}

function sendAdding(
  c: Context,
  site: BoardSite,
  to: { readonly post: { readonly id: number; readonly title: string }; readonly replyId: number | null },
  shown: ShownEvidence,
  twins: Twins,
  problem: BoardRefusal | null,
): Response {
  const main = addEvidencePage(to.post, to.replyId, shown, twins, problem?.message ?? null);
  const status = problem === null ? 200 : statusOf[problem.kind];
  return sendPage(
    c,
    site,
    { title: "Add evidence · Drydock", main, isPrivate: true, script: "evidence" },
    status,
  );
}

async function sendFile(c: Context, site: BoardSite): Promise<Response> {
  const file = await new EvidenceDesk(site.board).one(numberIn(c));
  const bytes = (await site.board.store.evidence.bytes(file.id)) ?? new Uint8Array(0);
  const post = file.postId === null ? null : await site.board.post(file.postId);
  const { cards } = await readingsOf(site, [file]);
  if (wantsJson(c)) return c.json({ ...draftJson(file), postId: file.postId, replyId: file.replyId, cards });
  const text = new TextDecoder().decode(bytes);
  const back =
    post === null
      ? null
      : postPath(post) + (file.replyId === null ? "" : `?answer=${file.replyId}#r${file.replyId}`);
  const main = evidencePage(file, text, cards, back);
  return sendPage(c, site, { title: `${file.name} · Drydock`, main, isPrivate: true });
}

/** Whatever it is, it is text to be kept by whoever asks for it: never shown by a browser, never run. */
export const rawHeaders = (id: number): Readonly<Record<string, string>> => ({
  "Content-Type": "text/plain; charset=utf-8",
  "Content-Disposition": `attachment; filename="evidence-${id}.txt"`,
  "Content-Security-Policy": "sandbox; default-src 'none'",
  "X-Content-Type-Options": "nosniff",
  "Cache-Control": "private, no-store",
});

export const evidenceRoutes: readonly BoardRoute[] = [
  {
    method: "POST",
    path: "/evidence",
    summary: "Files as multipart/form-data: redacted, diagnosed, kept as drafts of one's own",
    door: "evidence",
    handle: sendDrafts,
  },
  {
    method: "GET",
    path: "/p/:id/evidence",
    summary: null,
    handle: async (c, site) => {
      const post = await site.board.post(numberIn(c));
      if (site.board.actor === null)
        throw new BoardRefusal("signed_out", "sign-in", "Sign in first, to add evidence.");
      const replyId = replyOf(c.req.query("answer"));
      await new EvidenceDesk(site.board).mustBeOn(post.id, replyId);
      return sendAdding(c, site, { post, replyId }, { files: [], cards: [], refused: [] }, [], null);
    },
  },
  {
    method: "POST",
    path: "/p/:id/evidence",
    summary: "Puts drafts of evidence on a post; or takes files, and answers with drafts",
    door: "evidence",
    handle: addEvidence,
  },
  { method: "GET", path: "/evidence/:id", summary: "One file of evidence", handle: sendFile },
  {
    method: "GET",
    path: "/evidence/:id/raw",
    summary: "Its redacted bytes, always as a download",
    handle: async (c, site) => {
      const file = await new EvidenceDesk(site.board).one(numberIn(c));
      const bytes = (await site.board.store.evidence.bytes(file.id)) ?? new Uint8Array(0);
      return c.body(new Uint8Array(bytes), 200, rawHeaders(file.id));
    },
  },
  {
    method: "POST",
    path: "/evidence/:id/release",
    summary: "Somebody known has looked: shown to everybody",
    door: "nothing",
    handle: async (c, site) => {
      await readFields(c, "nothing");
      const file = await new EvidenceDesk(site.board).release(numberIn(c));
      if (wantsJson(c)) return c.json({ done: true });
      return c.redirect(`/p/${file.postId}`, 303);
    },
  },
  ...(["POST", "DELETE"] as const).map(
    (method): BoardRoute => ({
      method,
      path: method === "POST" ? "/evidence/:id/delete" : "/evidence/:id",
      summary: method === "POST" ? null : "Deletes a file of evidence for good: its place stays",
      door: "nothing",
      handle: async (c, site) => {
        await readFields(c, "nothing");
        const file = await new EvidenceDesk(site.board).remove(numberIn(c));
        if (wantsJson(c)) return c.json({ done: true });
        return c.redirect(file.postId === null ? "/" : `/p/${file.postId}`, 303);
      },
    }),
  ),
];
