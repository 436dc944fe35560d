// Provisioning profiles as files: CMS around a property list, the CMS inside it, and its content, bare DER.

import { looksLikeSignedData } from "@drydock/core/codec/der/cms";
import { decodeDerProfile } from "@drydock/core/codec/der/der-entitlements";
import type { Place } from "../facts/evidence-source.ts";
import { shownText } from "../facts/evidence-source.ts";
import { plistOfBytes } from "./plist-bytes.ts";
import { profileOfDer, type ReadProfile, readProfileFile } from "./profile.ts";
import type { BinaryReader, FactSink } from "./reader.ts";

const derSet = 0x31;

export const profileReader: BinaryReader = {
  kind: "provisioning profile",
  recognise: (head) => looksLikeSignedData(head) || startsWithPair(head),
  read(file, sink) {
    const place: Place = { file: file.name, line: 0, offset: 0, text: "provisioning profile" };
    const read =
      file.bytes[0] === derSet
        ? profileOfDer(decodeDerProfile(file.bytes))
        : readProfileFile(file.bytes, plistOfBytes);
    const cms = file.bytes[0] === derSet ? undefined : file.bytes;
    addProfile(read, place, (path) => ({ ...place, text: path }), sink, cms);
  },
};

/** Both facts of a profile: as what it is, and as the property list that counts, for rules that ask for keys. */
export function addProfile(
  read: ReadProfile,
  place: Place,
  placeOf: (path: string) => Place,
  sink: FactSink,
  cms?: Uint8Array,
): void {
  const { profile, effective } = read;
  for (const problem of read.problems) sink.problem(problem);
  const text = `${profile.kind} profile "${profile.name}" for ${profile.applicationIdentifier || "no App ID"}`;
  sink.add(
    "profile",
    { ...place, text: shownText(text) },
    cms === undefined ? { profile } : { profile, cms },
  );
  const role = "provisioning profile";
  sink.add("property-list", place, { role, value: effective, placeOf, hasComment: false });
  for (const team of profile.teamIdentifiers) sink.secret("team", team);
  // People call profiles, and themselves, by names.
  if (profile.name !== "") sink.secret("profile", profile.name);
  for (const key of ["TeamName", "AppIDName", "UUID"]) {
    const value = effective[key];
    if (typeof value === "string" && value !== "")
      sink.secret(key === "TeamName" ? "name" : "profile", value);
  }
  for (const name of profile.signedBy)
    sink.secret("name", name.replace(/^[^:]*: /, "").replace(/ \([A-Z0-9]{10}\)$/, ""));
  if (Array.isArray(profile.devices)) for (const id of profile.devices) sink.secret("device", id);
}

/** A SET whose first part is SEQUENCE { UTF8String ... }: a DER profile without its envelope. */
function startsWithPair(head: Uint8Array): boolean {
  if (head[0] !== derSet) return false;
  const pair = contentAt(head, 0);
  return head[pair] === 0x30 && head[contentAt(head, pair)] === 0x0c;
}

/** Where the content of the value at `at` begins, if its length is in the definite form. */
function contentAt(bytes: Uint8Array, at: number): number {
  const length = bytes[at + 1] ?? 0;
  return at + 2 + (length > 0x80 ? length & 0x7f : 0);
}
