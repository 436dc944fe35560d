// What is kept beside an image: one versioned JSON document, bound to the file it belongs to, replaced by rename.

import { createHash } from "node:crypto";
import { fstatSync, lstatSync, readFileSync } from "node:fs";
import { open, rename, rm, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { linuxFiles } from "./linux-files.ts";

const version = 1;
/** Nothing that is kept comes near this. */
const largestBytes = 1 << 20;

/** Which file it is: a copy, or another file of the same name, is not the same one. */
export interface ImageMark {
  readonly inode: string;
  /** When the file was made, where the file system knows; else empty. */
  readonly born: string;
}

/** `ours`: made for this image by this version. All others are left as they are, and nothing of them is believed. */
export type BesideState =
  | { readonly kind: "none" }
  | { readonly kind: "ours"; readonly content: unknown }
  | { readonly kind: "damaged" | "foreign" | "newer" | "unreadable"; readonly why: string };

/** Descriptor of the image, by which it is known whatever it is called. */
export function imageMark(descriptor: number, platform: NodeJS.Platform = process.platform): ImageMark {
  const files = linuxFiles(platform);
  const stats = fstatSync(descriptor, { bigint: true });
  // Node's birth time on Linux is the time of the last change where the file system keeps none.
  const born = platform === "linux" ? (files?.birth(descriptor) ?? "") : String(stats.birthtimeNs);
  return { inode: String(stats.ino), born };
}

/** A document of one kind beside one image. */
export class BesideImage {
  readonly path: string;
  readonly #format: string;
  readonly #mark: ImageMark;
  #writes = 0;

  /** `imagePath`: its real name. `suffix`: what the document's name ends with, and the kind of its contents. */
  constructor(imagePath: string, suffix: string, mark: ImageMark) {
    this.path = `${imagePath}.${suffix}`;
    this.#format = `drydock ${suffix}`;
    this.#mark = mark;
  }

  read(): BesideState {
    let text: string;
    try {
      const stats = lstatSync(this.path);
      if (!stats.isFile()) return { kind: "foreign", why: "it is no plain file" };
      if (stats.size > largestBytes) return { kind: "damaged", why: `it has ${stats.size} bytes` };
      text = readFileSync(this.path, "utf8");
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
      return code === "ENOENT" ? { kind: "none" } : { kind: "unreadable", why: code };
    }
    return this.#judge(text);
  }

  #judge(text: string): BesideState {
    let whole: unknown;
    try {
      whole = JSON.parse(text);
    } catch {
      return { kind: "damaged", why: "it is no JSON" };
    }
    if (!isRecord(whole) || typeof whole.format !== "string" || typeof whole.version !== "number")
      return { kind: "damaged", why: "it does not say what it is" };
    if (whole.format !== this.#format) return { kind: "foreign", why: "it is something else" };
    if (whole.version > version) return { kind: "newer", why: `it is of version ${whole.version}` };
    if (whole.version !== version || whole.sum !== sumOf(whole.image, whole.content))
      return { kind: "damaged", why: "its check sum is wrong" };
    const mark = whole.image;
    if (!isRecord(mark) || mark.inode !== this.#mark.inode || mark.born !== this.#mark.born)
      return { kind: "foreign", why: "it belongs to another file" };
    return { kind: "ours", content: whole.content };
  }

  /**
   * Puts `content` in its place (null: nothing), so that a power loss leaves the old one or the new one. Rejects when
   * that cannot be done, also when what is there meanwhile is not ours.
   */
  async replace(content: unknown): Promise<void> {
    const { kind } = this.read();
    if (kind !== "none" && kind !== "ours") throw new Error(`${this.path} is ${kind}`);
    if (content === null) {
      if (kind === "ours") await unlink(this.path);
    } else {
      const next = `${this.path}.${process.pid}.${++this.#writes}`;
      const sum = sumOf(this.#mark, content);
      const text = JSON.stringify({ format: this.#format, version, image: this.#mark, content, sum });
      try {
        const file = await open(next, "wx", 0o600);
        try {
          await file.writeFile(`${text}\n`);
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(next, this.path);
      } catch (error) {
        await rm(next, { force: true });
        throw error;
      }
    }
    await syncFolder(dirname(this.path));
  }
}

/** The name is on the disk too. Systems that cannot do that to a folder do it by themselves. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function sumOf(image: unknown, content: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify([image, content]))
    .digest("hex");
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
