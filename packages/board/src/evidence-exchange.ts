// Evidence out into a post's folder and back: the redacted text as it is, and beside it what is known of it.

import { decodeUtf8, encodeUtf8 } from "@drydock/core/base/text";
import type { BoardStore } from "./board-store.ts";
import type { EvidencePlace } from "./evidence-store.ts";
import { type ExportedFile, type FolderReader, type PersonName, PostFileError } from "./post-folder.ts";
import { type Symptom, symptomKinds } from "./records.ts";

const fileForm = /^(\d{6})\.json$/;

interface EvidenceFile {
  readonly name: string;
  /** The file of the reply that it belongs to; absent: the post. */
  readonly reply?: string;
  readonly author: PersonName;
  readonly createdAt: number;
  readonly state: "waiting" | "shown";
  readonly sha256: string;
  readonly marks: number;
  readonly marked: string;
  readonly notes: readonly string[];
  readonly isKnown: boolean;
  readonly cards: string;
  readonly symptoms: readonly Symptom[];
}

/** Drafts and deleted places stay. */
export async function* exportEvidence(
  store: BoardStore,
  postId: number,
  place: readonly string[],
  fileOf: ReadonlyMap<number, string>,
): AsyncGenerator<ExportedFile> {
  let number = 0;
  for (const file of await store.evidence.ofPost(postId)) {
    const bytes = file.state === "deleted" ? null : await store.evidence.bytes(file.id);
    const reading = await store.evidence.reading(file.readingId);
    if (bytes === null || (file.state !== "shown" && file.state !== "waiting")) continue;
    const base = String(++number).padStart(6, "0");
    const about: EvidenceFile = {
      name: file.name,
      ...(file.replyId === null ? {} : { reply: fileOf.get(file.replyId) ?? "" }),
      author: { handle: file.owner.handle, shownName: file.owner.shownName },
      createdAt: file.createdAt,
      state: file.state,
      sha256: file.sha256,
      marks: file.marks,
      marked: file.marked,
      notes: file.notes,
      isKnown: reading?.isKnown ?? false,
      cards: reading?.cards ?? "[]",
      symptoms: reading?.symptoms ?? [],
    };
    yield { path: [...place, "evidence", `${base}.json`], text: `${JSON.stringify(about, null, 2)}\n` };
    yield { path: [...place, "evidence", `${base}.txt`], text: decodeUtf8(bytes) };
  }
}

export interface ReadEvidenceFile {
  readonly about: EvidenceFile;
  readonly text: string;
}

/** `replies`: files of the post's. Throws PostFileError: nothing of the post comes in then. */
export async function readEvidenceFiles(
  folder: FolderReader,
  place: readonly string[],
  replies: ReadonlySet<string>,
): Promise<ReadEvidenceFile[]> {
  const found: ReadEvidenceFile[] = [];
  for (const name of await folder.list([...place, "evidence"])) {
    const base = fileForm.exec(name)?.[1];
    if (base === undefined) {
      if (/^\d{6}\.txt$/.test(name)) continue;
      throw new PostFileError(1, `evidence/${name}: such a file is not written by an export`);
    }
    const text = await folder.read([...place, "evidence", `${base}.txt`]);
    if (text === null) throw new PostFileError(1, `evidence/${base}.txt is missing`);
    const about = aboutOf((await folder.read([...place, "evidence", name])) ?? "");
    if (about === null) throw new PostFileError(1, `evidence/${name} is not as an export writes it`);
    if (about.reply !== undefined && !replies.has(about.reply))
      throw new PostFileError(1, `evidence/${name}: there is no such reply as it belongs to`);
    found.push({ about, text });
  }
  return found;
}

function aboutOf(text: string): EvidenceFile | null {
  let value: Partial<Record<keyof EvidenceFile, unknown>>;
  try {
    value = JSON.parse(text) as typeof value;
    if (typeof value !== "object" || value === null) return null;
    const texts = [value.name, value.sha256, value.marked, value.cards];
    if (!texts.every((each) => typeof each === "string")) return null;
    if (!Array.isArray(JSON.parse(String(value.marked))) || !Array.isArray(JSON.parse(String(value.cards))))
      return null;
  } catch {
    return null;
  }
  const author = value.author as Partial<PersonName> | undefined;
  const isRight =
    typeof author?.handle === "string" &&
    /^[a-z0-9][a-z0-9-]{0,38}$/.test(author.handle) &&
    typeof author.shownName === "string" &&
    (value.reply === undefined || typeof value.reply === "string") &&
    Number.isSafeInteger(value.createdAt) &&
    Number.isSafeInteger(value.marks) &&
    (value.state === "shown" || value.state === "waiting") &&
    typeof value.isKnown === "boolean" &&
    Array.isArray(value.notes) &&
    value.notes.every((note) => typeof note === "string") &&
    Array.isArray(value.symptoms) &&
    value.symptoms.every(
      (symptom: Partial<Symptom> | null) =>
        typeof symptom?.value === "string" && symptomKinds.includes(symptom.kind as Symptom["kind"]),
    );
  return isRight ? (value as unknown as EvidenceFile) : null;
}

export async function importEvidence(
  store: BoardStore,
  to: EvidencePlace,
  ownerId: number,
  { about, text }: ReadEvidenceFile,
): Promise<void> {
  const { name, sha256, marks, marked, notes, isKnown, cards, symptoms, createdAt, state } = about;
  const file = { name, sha256, marks, marked, notes, bytes: encodeUtf8(text) };
  const ids = await store.evidence.addDrafts(ownerId, [file], { isKnown, cards, symptoms }, createdAt);
  await store.evidence.attach(to, ownerId, ids, state === "shown", createdAt);
}
