// Files of the host in place of memory for the disks that `drydock disk serve` shows.

import { type FileStore, openFileStore } from "@drydock/node/file-store";

/**
 * One file for each name, in their order; empty when no file was named. RangeError when the numbers differ, or for a
 * file that is too short or cannot be opened.
 */
export function openDiskFiles(
  files: readonly string[],
  names: readonly string[],
  lengthBytes: number,
): readonly FileStore[] {
  if (files.length === 0) return [];
  if (files.length !== names.length)
    throw new RangeError(`${names.length} disks and ${files.length} files: give one --file for each --name`);
  if (new Set(files).size < files.length) throw new RangeError("two disks cannot share one file");
  return files.map((file) => {
    try {
      return openFileStore(file, lengthBytes);
    } catch (error) {
      if (error instanceof RangeError) throw error;
      throw new RangeError(`--file ${file}: ${error instanceof Error ? error.message : String(error)}`);
    }
  });
}

/** For the line that says what Ctrl-C does. */
export function whatStays(files: readonly string[]): string {
  return files.length === 0 ? "and forgets it" : `and ${files.join(", ")} keeps it`;
}
