// Every constant that a room exports, written down a second time: house/constants/ROOM.json.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** Rooms whose constants others rely on: numbers of standards, of chips, of Apple's frameworks. */
export const roomsOfConstants: Readonly<Record<string, string>> = {
  base: "packages/core/src/base",
  codec: "packages/core/src/codec",
  families: "packages/core/src/families",
  devices: "packages/core/src/devices",
  drivers: "packages/core/src/drivers",
};

/** A value as JSON; what JSON has no form for in one of its own. Functions are behaviour: other tests see them. */
function written(value: unknown): string {
  return JSON.stringify(value, (_key, each) => {
    if (typeof each === "bigint") return `${each}n`;
    if (each instanceof Map) return { map: [...each] };
    if (each instanceof Set) return { set: [...each] };
    if (ArrayBuffer.isView(each))
      return { bytes: Buffer.from(each.buffer, each.byteOffset, each.byteLength).toString("hex") };
    if (each instanceof RegExp) return { pattern: String(each) };
    if (typeof each === "function" || typeof each === "symbol") return undefined;
    return each;
  });
}

export type Constants = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** By file and name. Long tables as a digest. */
export async function constantsOf(room: string): Promise<Constants> {
  const folder = join(root, roomsOfConstants[room]);
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.name.endsWith(".test.ts"))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const found: Record<string, Record<string, unknown>> = {};
  for (const file of files) {
    const entries = Object.entries((await import(pathToFileURL(file).href)) as Record<string, unknown>)
      .filter(([, value]) => typeof value !== "function" && typeof value !== "symbol" && value !== undefined)
      .map(([name, value]): [string, unknown] => {
        const text = written(value);
        const digest = createHash("sha256").update(text).digest("hex").slice(0, 16);
        return [name, text.length <= 400 ? JSON.parse(text) : `${text.length} characters, ${digest}`];
      });
    if (entries.length > 0) found[relative(folder, file)] = Object.fromEntries(entries);
  }
  return found;
}

const recordOf = (room: string): string => join(root, "house/constants", `${room}.json`);

export const recordedConstants = (room: string): Constants =>
  JSON.parse(readFileSync(recordOf(room), "utf8"));

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const room of Object.keys(roomsOfConstants))
    writeFileSync(recordOf(room), `${JSON.stringify(await constantsOf(room), null, 1)}\n`);
