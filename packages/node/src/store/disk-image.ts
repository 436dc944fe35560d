// A file of the host as a disk: opened, measured, guarded; what cannot be right is refused with what to do.

import { closeSync, fstatSync, ftruncateSync, openSync, realpathSync, rmSync } from "node:fs";
import { BesideImage, imageMark } from "./beside-image.ts";
import { fileHoles } from "./file-holes.ts";
import { FileStore } from "./file-store.ts";
import { ImageInUse, type ImageLock, lockImage } from "./image-lock.ts";
import { ImageReservations } from "./image-reservations.ts";
import { linuxFiles } from "./linux-files.ts";

export interface DiskImageOptions {
  /** Of a logical block: the disk is a whole number of them. */
  readonly blockBytes: number;
  /** Length of a file that is not there yet; of one that is there it has to be the length. Null: the file's own. */
  readonly lengthBytes: number | null;
  /** Length of a new file when `lengthBytes` is null. */
  readonly newBytes: number;
  /** Opens for reading; a file that is not there is an error. */
  readonly isReadOnly: boolean;
  /** `lengthBytes` may be less than the file has: the rest is not shown. */
  readonly isPart?: boolean;
  /** Opens what somebody else has open. */
  readonly isUnguarded?: boolean;
  readonly platform?: NodeJS.Platform;
  /** Sentences about the file while it is served. */
  readonly onTrouble: (text: string) => void;
}

export interface DiskImage {
  readonly path: string;
  readonly store: FileStore;
  /** What the next server is to know of reservations. */
  readonly reservations: ImageReservations;
  readonly lengthBytes: number;
  readonly isNew: boolean;
  /** What somebody who starts a server with it should know, a sentence each. */
  readonly notes: readonly string[];
}

/** The file and what is wrong with it: what a person typed is to be changed. */
export class DiskImageError extends RangeError {}

/** Throws DiskImageError; what failed leaves no new file behind. */
export function openDiskImage(path: string, options: DiskImageOptions): DiskImage {
  const { descriptor, isNew } = openOrMake(path, options.isReadOnly);
  let lock: ImageLock | null = null;
  try {
    lock = options.isUnguarded === true ? null : guard(descriptor, path, options);
    const fileBytes = isNew ? makeRoom(descriptor, path, options) : measure(descriptor, path);
    const lengthBytes = isNew ? fileBytes : shownBytes(path, fileBytes, options);
    const holes = fileHoles(descriptor, fileBytes, options);
    const reservations = new ImageReservations(
      new BesideImage(realpathSync(path), "reservations", imageMark(descriptor, options.platform)),
      options,
    );
    const notes = [
      ...(lengthBytes < fileBytes
        ? [`${path}: ${lengthBytes} of its ${fileBytes} bytes are shown, as was asked for`]
        : []),
      ...(holes.reason === null || options.isReadOnly
        ? []
        : [`${path}: zeros are written, no holes are made in it: ${holes.reason}`]),
      ...(lock?.weakness == null ? [] : [`${path}: ${lock.weakness}`]),
      ...(options.isUnguarded === true ? [`${path}: not guarded, as was asked for`] : []),
      ...(reservations.note === null ? [] : [reservations.note]),
    ];
    const store = new FileStore({
      descriptor,
      lengthBytes,
      holes,
      isReadOnly: options.isReadOnly,
      name: path,
      onTrouble: options.onTrouble,
      onClosed: () => lock?.release(),
    });
    return { path, store, reservations, lengthBytes, isNew, notes };
  } catch (error) {
    lock?.release();
    closeSync(descriptor);
    if (isNew) rmSync(path, { force: true });
    throw error instanceof DiskImageError ? error : new DiskImageError(`${path}: ${hostText(error)}`);
  }
}

function openOrMake(
  path: string,
  isReadOnly: boolean,
): { readonly descriptor: number; readonly isNew: boolean } {
  try {
    return { descriptor: openSync(path, isReadOnly ? "r" : "r+"), isNew: false };
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT" && !isReadOnly) return makeNew(path);
    if (code === "ENOENT")
      throw new DiskImageError(`${path} is not there, and a disk that is read only makes no file`);
    if ((code === "EACCES" || code === "EPERM" || code === "EROFS") && !isReadOnly)
      throw new DiskImageError(`${path} may not be written (${code}); --read-only only reads it`);
    throw new DiskImageError(`${path}: ${hostText(error)}`);
  }
}

function makeNew(path: string): { readonly descriptor: number; readonly isNew: boolean } {
  try {
    return { descriptor: openSync(path, "wx+"), isNew: true };
  } catch (error) {
    const code = codeOf(error);
    if (code === "EEXIST") throw new DiskImageError(`${path} is a link that leads nowhere: remove it`);
    if (code === "ENOENT") throw new DiskImageError(`${path} cannot be made: its folder is not there`);
    throw new DiskImageError(`${path} cannot be made: ${hostText(error)}`);
  }
}

function guard(descriptor: number, path: string, options: DiskImageOptions): ImageLock {
  try {
    return lockImage(descriptor, path, {
      isShared: options.isReadOnly,
      ...(options.platform === undefined ? {} : { platform: options.platform }),
    });
  } catch (error) {
    if (!(error instanceof ImageInUse)) throw error;
    throw new DiskImageError(
      `${path} ${error.who}; end that first, or ask for it all the same with --unguarded`,
    );
  }
}

function makeRoom(descriptor: number, path: string, options: DiskImageOptions): number {
  const lengthBytes = options.lengthBytes ?? options.newBytes;
  try {
    ftruncateSync(descriptor, lengthBytes);
    return lengthBytes;
  } catch (error) {
    throw new DiskImageError(
      `${path} cannot be made ${lengthBytes} bytes long: ${hostText(error)}; give a smaller --size`,
    );
  }
}

function measure(descriptor: number, path: string): number {
  const stats = fstatSync(descriptor);
  if (stats.isFile()) return stats.size;
  // Its length is asked for without moving anything that matters: every access names its place.
  const bytes = stats.isBlockDevice() ? (linuxFiles()?.length(descriptor) ?? -1) : -1;
  if (bytes >= 0) return bytes;
  throw new DiskImageError(`${path} is ${stats.isDirectory() ? "a folder" : "no file"}, and no disk`);
}

function shownBytes(path: string, fileBytes: number, options: DiskImageOptions): number {
  const { blockBytes, lengthBytes } = options;
  if (lengthBytes === null || lengthBytes === fileBytes) {
    const whole = fileBytes - (fileBytes % blockBytes);
    if (fileBytes === 0)
      throw new DiskImageError(`${path} has 0 bytes, no disk: remove it, and --size makes a new one`);
    if (whole !== fileBytes)
      throw new DiskImageError(
        `${path} has ${fileBytes} bytes, no multiple of the ${blockBytes} of a block` +
          (whole === 0 ? "" : `; --size ${whole} --part shows what fits`),
      );
    return fileBytes;
  }
  if (lengthBytes > fileBytes)
    throw new DiskImageError(
      `${path} has ${fileBytes} bytes, fewer than --size ${lengthBytes}; leave --size away to show what is there`,
    );
  if (options.isPart !== true)
    throw new DiskImageError(
      `${path} has ${fileBytes} bytes, more than --size ${lengthBytes}; leave --size away to show all of it, or add --part to show its beginning alone`,
    );
  return lengthBytes;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

/** What the host says, in words. */
function hostText(error: unknown): string {
  switch (codeOf(error)) {
    case "EISDIR":
      return "is a folder, and no disk";
    case "ENOTDIR":
      return "a part of the way to it is no folder";
    case "EACCES":
    case "EPERM":
      return "permission denied";
    case "ENOSPC":
      return "there is no room left";
    case "EFBIG":
      return "its file system has no files that large";
    case "ELOOP":
      return "its links go round in a circle";
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
