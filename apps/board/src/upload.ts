// Forms with files: bounded before they are read, one of a person at a time, names cut to what may be shown.

import { type EvidenceDesk, mostFileBytes, mostFiles, mostUploadBytes } from "@drydock/board/evidence";
import { BoardRefusal } from "@drydock/board/refusal";
import { shown } from "@drydock/core/base/shown-text";
import type { Context } from "hono";
import { bytesOf, checkedFields, type DoorFields, type DoorName } from "./doors.ts";
import type { HandedFile } from "./evidence-reading.ts";

/** A body that takes longer is given up: a form of 32 MiB over the slowest line that can be meant. */
const longestBodyMs = 120_000;
const uploadsAtOnce = 4;
/** Parts of a form besides its files, and room for their heads. */
const formRoom = 1024 * 1024;
let running = 0;

export const isUpload = (c: Context): boolean =>
  (c.req.header("content-type") ?? "").toLowerCase().startsWith("multipart/form-data");

export interface Upload<Name extends DoorName> {
  readonly fields: DoorFields<Name>;
  readonly files: readonly HandedFile[];
}

/** Who it is is asked before a byte is read. Throws BoardRefusal. */
export async function readUpload<Name extends DoorName>(
  c: Context,
  name: Name,
  desk: EvidenceDesk,
): Promise<Upload<Name>> {
  desk.mustBeActive();
  if (running >= uploadsAtOnce)
    throw new BoardRefusal("too_many", "uploads-busy", "Others are uploading: try again in 5 s.", null, 5);
  running++;
  try {
    const bytes = await bytesOf(c, mostUploadBytes + formRoom, longestBodyMs);
    // A large body costs, whether there were files in it or not.
    if (bytes.length > formRoom) await desk.takeUpload();
    const upload = await parts(c, name, bytes);
    if (bytes.length <= formRoom && upload.files.length > 0) await desk.takeUpload();
    return upload;
  } finally {
    running--;
  }
}

async function parts<Name extends DoorName>(
  c: Context,
  name: Name,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Upload<Name>> {
  let form: FormData;
  try {
    form = await new Response(bytes, {
      headers: { "content-type": c.req.header("content-type") ?? "" },
    }).formData();
  } catch {
    throw new BoardRefusal("invalid", "bad-form", "The form did not come whole: send it again.");
  }
  const fields: Record<string, string> = Object.create(null);
  const files: HandedFile[] = [];
  let total = 0;
  for (const [field, value] of form) {
    if (typeof value === "string") {
      if (Object.hasOwn(fields, field))
        throw new BoardRefusal("invalid", "field-twice", `"${field.slice(0, 40)}" is given twice.`);
      fields[field] = value;
      continue;
    }
    // A browser sends an empty part for a field of files that nobody filled.
    if (value.size === 0 && value.name === "") continue;
    if (field !== "file")
      throw new BoardRefusal("invalid", "bad-field", "Files come as the field file.", "file");
    if (files.length === mostFiles)
      throw new BoardRefusal("too_large", "files-many", `At most ${mostFiles} files at once.`, "file");
    total += value.size;
    if (value.size > mostFileBytes || total > mostUploadBytes)
      throw new BoardRefusal(
        "too_large",
        "files-large",
        "At most 8 MiB a file and 32 MiB in all: cut the log to the minutes that matter, or compress it.",
        "file",
      );
    files.push({ name: plainName(value.name), bytes: new Uint8Array(await value.arrayBuffer()) });
  }
  return { fields: await checkedFields(name, { ...fields }), files };
}

/** The last part of any path, one line, at most 100 characters. */
export function plainName(name: string): string {
  const last = (name.split(/[\\/]/).at(-1) ?? "").replace(/[\p{Cc}\p{Cf}]/gu, " ");
  const plain = shown(last).replaceAll("\\", "-").trim().slice(-100).trim();
  return /^\.*$/.test(plain) ? "file" : plain;
}
