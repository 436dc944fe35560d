// Provisioning profiles as files: CMS around a property list, the CMS inside it, and its content, bare DER.

import { DecodeError } from "@drydock/core/base/errors";
import { looksLikeSignedData } from "@drydock/core/codec/der/cms";
import { decodeDerProfile } from "@drydock/core/codec/der/der-entitlements";
import {
  type ProvisioningProfile,
  profileOfDer,
  profileOfPlist,
  readProfileFile,
} from "../signing/profile.ts";
import type { Place } from "./evidence-source.ts";
import { shownText } from "./evidence-source.ts";
import { plistOfBytes } from "./plist-bytes.ts";
import type { BinaryReader, FactSink } from "./reader.ts";

export interface ProfileFact {
  readonly profile: ProvisioningProfile;
}

const derSet = 0x31;

export const profileReader: BinaryReader = {
  kind: "provisioning profile",
  recognise: (head) => looksLikeSignedData(head) || startsWithPair(head),
  read(file, sink) {
    const place: Place = { file: file.name, line: 0, offset: 0, text: "provisioning profile" };
    if (file.bytes[0] === derSet) {
      addProfile(profileOfDer(decodeDerProfile(file.bytes)), place, sink);
      return;
    }
    const { profile, problems } = readProfileFile(file.bytes, plistOfBytes);
    for (const problem of problems) sink.problem(problem);
    addProfile(profile, place, sink);
  },
};

/** Also for property lists that are a profile's readable half (`security cms -D`). Never throws. */
export function addProfileOfPlist(
  value: Parameters<typeof profileOfPlist>[0],
  place: Place,
  sink: FactSink,
): void {
  try {
    const { profile, problems } = profileOfPlist(value, []);
    for (const problem of problems) sink.problem(problem);
    addProfile(profile, place, sink);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    sink.problem(`is a profile that cannot be read: ${error.message}`);
  }
}

function addProfile(profile: ProvisioningProfile, place: Place, sink: FactSink): void {
  const text = `${profile.kind} profile "${profile.name}" for ${profile.applicationIdentifier || "no App ID"}`;
  sink.add("profile", { ...place, text: shownText(text) }, { profile });
  for (const team of profile.teamIdentifiers) sink.secret("team", team);
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
