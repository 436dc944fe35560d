// The check at the door: what each request may carry. Unknown fields, wrong kinds and foreign shapes do not come in.

import { BoardRefusal } from "@drydock/board/refusal";
import type { Context } from "hono";
import type { Static, TObject } from "typebox";
import type { Validator } from "typebox/compile";
import type { doors } from "./door-schemas.ts";

export type DoorName = keyof typeof doors;
export type DoorFields<Name extends DoorName> = Static<(typeof doors)[Name]>;

const validators = new Map<DoorName, Validator>();

/** Schemas and their compiler are read with the first request that writes: reading a page needs neither. */
async function validatorOf(name: DoorName): Promise<Validator> {
  let made = validators.get(name);
  if (made === undefined) {
    const [{ doors: schemas }, { Compile }] = [
      await import("./door-schemas.ts"),
      await import("typebox/compile"),
    ];
    made = Compile(schemas[name] as TObject) as unknown as Validator;
    validators.set(name, made);
  }
  return made;
}

/** Bytes of a body: a text of 64 KiB in the widest form encoding, and room. */
export const mostBodyBytes = 512 * 1024;

/** `longestMs`: a body that has not come by then is refused. Throws BoardRefusal. */
export async function bytesOf(
  c: Context,
  most = mostBodyBytes,
  longestMs = 30_000,
): Promise<Uint8Array<ArrayBuffer>> {
  const tooLarge = () =>
    new BoardRefusal("too_large", "body-large", `A request has at most ${Math.floor(most / 1024)} KiB.`);
  if (Number(c.req.header("content-length") ?? 0) > most) throw tooLarge();
  const { body } = c.req.raw;
  if (body === null) return new Uint8Array(0);
  const reader = body.getReader();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () =>
        reject(
          new BoardRefusal("invalid", "body-slow", "The request did not come in time: nothing was changed."),
        ),
      longestMs,
    );
  });
  const parts: Uint8Array[] = [];
  let length = 0;
  // What is refused is not cancelled: that would end the connection before its answer. The server's door reads the rest.
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), late]);
      if (done) break;
      parts.push(value);
      length += value.length;
      if (length > most) throw tooLarge();
    }
  } finally {
    clearTimeout(timer);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** A form or a JSON object; numbers in JSON count as their digits. Throws BoardRefusal. */
export async function readFields<Name extends DoorName>(c: Context, name: Name): Promise<DoorFields<Name>> {
  const type = (c.req.header("content-type") ?? "").split(";")[0].trim().toLowerCase();
  const bytes = await bytesOf(c);
  let value: unknown;
  if (type === "application/json") {
    try {
      value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    } catch {
      throw new BoardRefusal("invalid", "bad-json", "The body is not JSON in UTF-8.");
    }
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      value = Object.fromEntries(
        Object.entries(value).map(([field, entry]) => [
          field,
          typeof entry === "number"
            ? String(entry)
            : Array.isArray(entry) && field === "tags"
              ? entry.join(",")
              : entry,
        ]),
      );
  } else if (type === "application/x-www-form-urlencoded" || (type === "" && bytes.length === 0)) {
    const fields = new URLSearchParams(new TextDecoder().decode(bytes));
    const seen: Record<string, string> = Object.create(null);
    for (const [field, entry] of fields) {
      if (Object.hasOwn(seen, field))
        throw new BoardRefusal("invalid", "field-twice", `"${field.slice(0, 40)}" is given twice.`);
      seen[field] = entry;
    }
    value = { ...seen };
  } else {
    throw new BoardRefusal(
      "invalid",
      "bad-type",
      "A body is application/x-www-form-urlencoded or application/json.",
    );
  }
  return await checkedFields(name, value);
}

/** What came, whatever it came in. Throws BoardRefusal. */
export async function checkedFields<Name extends DoorName>(
  name: Name,
  value: unknown,
): Promise<DoorFields<Name>> {
  const validator = await validatorOf(name);
  if (!validator.Check(value)) {
    const [first] = validator.Errors(value);
    const field = (first?.instancePath ?? "").slice(1);
    throw new BoardRefusal(
      "invalid",
      "bad-field",
      field === ""
        ? `The request lacks something: ${first?.message ?? "it has another shape"}.`
        : `"${field.slice(0, 60)}" ${first?.message === "schema is false" ? "is no field of this request" : (first?.message ?? "is wrong")}.`,
      field === "" ? null : field,
    );
  }
  return value as DoorFields<Name>;
}

export interface PathPlace {
  readonly id: number;
  readonly form: "html" | "json" | "md" | "atom";
}

/** "12-a-title.json": the number finds the post, the words are for people. Null for anything else. */
export function placeOf(file: string): PathPlace | null {
  const found = /^(\d{1,15})(?:-[a-z0-9-]{0,80})?(?:\.(json|md|atom))?$/.exec(file);
  if (found === null || Number(found[1]) < 1) return null;
  return { id: Number(found[1]), form: (found[2] as PathPlace["form"] | undefined) ?? "html" };
}

/** A whole number from 0 on, or the given one when nothing is said. Throws BoardRefusal. */
export function countOf(value: string | undefined, name: string, otherwise: number, most: number): number {
  if (value === undefined || value === "") return otherwise;
  if (!/^\d{1,10}$/.test(value) || Number(value) > most)
    throw new BoardRefusal("invalid", `bad-${name}`, `A ${name} is a whole number from 0 to ${most}.`, name);
  return Number(value);
}
