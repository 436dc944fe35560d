// Schemas of what each request may carry: one source for the check at the door, its types, and the API page.

import Type from "typebox";

const closed = { additionalProperties: false } as const;
const text = (maxLength: number) => Type.String({ maxLength });
const flag = Type.Optional(Type.String({ maxLength: 8 }));
const key = Type.Optional(text(80));
/** Longer than a text may be: the board itself says how long it is, and gives it back. */
const markdown = Type.String({ maxLength: 400_000 });
const number = Type.String({ pattern: "^\\d{1,15}$" });
const orNothing = Type.String({ pattern: "^\\d{0,15}$" });

/** "12,13": drafts of evidence that the form carries along. */
const idList = Type.Optional(Type.String({ pattern: "^[\\d,]{0,200}$" }));

export const doors = {
  post: Type.Object(
    {
      title: text(2000),
      markdown,
      tags: Type.Optional(text(500)),
      key,
      preview: flag,
      evidence: idList,
      drop: Type.Optional(orNothing),
    },
    closed,
  ),
  evidence: Type.Object(
    { evidence: idList, drop: Type.Optional(orNothing), reply: Type.Optional(orNothing), key },
    closed,
  ),
  postEdit: Type.Object(
    { title: text(2000), markdown, tags: Type.Optional(text(500)), version: number, key, preview: flag },
    closed,
  ),
  reply: Type.Object({ markdown, parent: Type.Optional(orNothing), key, preview: flag, files: flag }, closed),
  replyEdit: Type.Object({ markdown, version: number, preview: flag }, closed),
  boost: Type.Object(
    { os: Type.Optional(text(200)), hardware: Type.Optional(text(200)), _method: Type.Optional(text(10)) },
    closed,
  ),
  accepted: Type.Object({ reply: orNothing }, closed),
  duplicate: Type.Object({ of: orNothing }, closed),
  flag: Type.Object({ reason: text(600) }, closed),
  moderate: Type.Object(
    { act: text(20), reason: text(600), topic: Type.Optional(text(100)), into: Type.Optional(orNothing) },
    closed,
  ),
  personAct: Type.Object({ act: text(20), reason: text(600), role: Type.Optional(text(20)) }, closed),
  watch: Type.Object({ _method: Type.Optional(text(10)) }, closed),
  readNotices: Type.Object({ upTo: number }, closed),
  nothing: Type.Object({ key, _method: Type.Optional(text(10)) }, closed),
  view: Type.Object({ post: number }, closed),
  login: Type.Object({ handle: text(100), password: text(512) }, closed),
  signUp: Type.Object({ handle: text(100), name: Type.Optional(text(200)), password: text(512) }, closed),
  password: Type.Object({ password: text(512) }, closed),
  ownerLink: Type.Object({ name: text(200) }, closed),
  leave: Type.Object({ handle: text(100) }, closed),
  passkey: Type.Object({ response: text(64_000) }, closed),
  similar: Type.Object({ text: markdown }, closed),
} as const;
