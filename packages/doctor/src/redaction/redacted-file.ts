// One file of evidence with its secrets replaced. What is signed or binary is rewritten as text that says what is lost.

import { shown } from "@drydock/core/base/shown-text";
import { decodeUtf8 } from "@drydock/core/base/text";
import { looksLikeSignedData } from "@drydock/core/codec/der/cms";
import { formatPlist } from "@drydock/core/platform/evidence/plist-text";
import type { Properties, PropertyValue } from "@drydock/core/platform/properties";
import { collectEvidence } from "../evidence/collect.ts";
import { decodeLine } from "../evidence/line-scan.ts";
import { isBinaryPlist, parseBinaryPlist } from "../evidence/plist-binary.ts";
import { plistOfBytes } from "../evidence/plist-bytes.ts";
import { readProfileFile } from "../evidence/profile.ts";
import { binaryReaders } from "../evidence/readers.ts";
import { sniffText, textToUtf8 } from "../evidence/text-encoding.ts";
import { defaultLimits, type EvidenceSource, sourceOfBytes } from "../facts/evidence-source.ts";
import { type RedactionLedger, redactText } from "./redacted-text.ts";

export interface RedactedFile {
  readonly text: string;
  /** Each a sentence for the person: what was rewritten, and what no longer verifies. */
  readonly notes: readonly string[];
}

/** Throws RangeError for what cannot be redacted, with what to do instead. Never changes `bytes`. */
export async function redactFile(
  name: string,
  bytes: Uint8Array,
  ledger: RedactionLedger,
  depth = 0,
): Promise<RedactedFile> {
  try {
    return await redacted(name, bytes, ledger, depth);
  } catch (error) {
    if (error instanceof RangeError) throw error;
    // A damaged list, profile or archive: nothing of it is given on, as nobody knows what is in it.
    throw new RangeError(
      `${name} cannot be read to its end (${error instanceof Error ? error.message : String(error)}), so it cannot be redacted; give me the text that a tool prints of it (plutil -p, security cms -D, tar -tv)`,
    );
  }
}

async function redacted(
  name: string,
  bytes: Uint8Array,
  ledger: RedactionLedger,
  depth: number,
): Promise<RedactedFile> {
  if (isBinaryPlist(bytes))
    return asPlist(parseBinaryPlist(bytes), ledger, `${name} was a binary property list and is XML now`);
  if (looksLikeSignedData(bytes)) {
    const { effective } = readProfileFile(bytes, plistOfBytes);
    return asPlist(
      withoutCertificates(effective),
      ledger,
      `${name} was a signed provisioning profile; this is what it says, without its signature and certificates: it verifies no more`,
    );
  }
  const text = textOf(bytes);
  if (text !== null) return { text: redactText(text, ledger), notes: [] };
  const members = depth < defaultLimits.archiveDepth ? await membersOf(name, bytes) : [];
  if (members.length > 0) return asMembers(name, members, ledger, depth);
  const evidence = await collectEvidence([sourceOfBytes(name, bytes)], []);
  const transfers = evidence.facts("transfer");
  if (transfers.length > 0) {
    const lines = transfers.map(({ place, value }) =>
      // Answers to GET_DESCRIPTOR string hold serial numbers and names.
      value.setup?.[1] === 6 && value.setup[3] === 3
        ? `${place.text.replace(/ {2}data .*?(?= {2}->|$)/, "  data removed")}`
        : place.text,
    );
    return {
      text: redactText(`${lines.join("\n")}\n`, ledger),
      notes: [
        `${name} was a capture; these are its transfers as text, strings of the device taken out: no capture tool reads it`,
      ],
    };
  }
  const kind = evidence.files[0]?.kinds.find((each) => each !== "unknown") ?? "binary file";
  throw new RangeError(
    `${name} is a ${kind}, which is not redacted as it is; ${kind === "archive" || kind === "installer package" ? "unpack it and give me the files" : "give me the text that a tool prints of it (codesign -dvvv, otool -l)"}`,
  );
}

/** The text of a file, whatever its encoding; null for one that is none. */
export function textOf(bytes: Uint8Array): string | null {
  const encoding = sniffText(bytes.subarray(0, 4096));
  if (encoding === null) return null;
  const recode = textToUtf8(encoding);
  return encoding === "utf-8" ? decodeLine(bytes) : decodeUtf8(recode(bytes)) + decodeUtf8(recode(null));
}

export interface Member {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What an archive or an installer package holds, bounded; empty for what is none. */
export async function membersOf(name: string, bytes: Uint8Array): Promise<Member[]> {
  const reader = binaryReaders.find((candidate) => candidate.recognise(bytes.subarray(0, 4096)));
  if (reader === undefined || !/^(?:archive|installer package)$/.test(reader.kind)) return [];
  const nested: EvidenceSource[] = [];
  await reader.read(
    { name, bytes },
    {
      limits: defaultLimits,
      add: () => {},
      problem: () => {},
      kind: () => {},
      claimLines: () => {},
      nestedText: () => {},
      nestedFile: (source) => {
        if (nested.length < defaultLimits.archiveMembers) nested.push(source);
      },
      secret: () => {},
    },
  );
  const members: Member[] = [];
  let room = defaultLimits.unpackedBytes;
  for (const source of nested) {
    const pieces: Uint8Array[] = [];
    for await (const piece of source.chunks()) {
      room -= piece.length;
      if (room < 0)
        throw new RangeError(
          `${name} unpacks to more than ${defaultLimits.unpackedBytes >> 20} MiB; unpack it and give me the files`,
        );
      pieces.push(piece);
    }
    members.push({ name: source.name, bytes: concat(pieces) });
  }
  return members;
}

async function asMembers(
  name: string,
  members: readonly Member[],
  ledger: RedactionLedger,
  depth: number,
): Promise<RedactedFile> {
  const parts: { readonly name: string; readonly text: string }[] = [];
  const notes = [
    `${name} was an archive; these are its files as text, one after the other: nothing unpacks it`,
  ];
  for (const member of members) {
    try {
      const { text, notes: more } = await redactFile(member.name, member.bytes, ledger, depth + 1);
      parts.push({ name: member.name, text });
      notes.push(...more);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      parts.push({ name: member.name, text: `(not redacted, left out: ${error.message})\n` });
    }
  }
  // What a later file has told is a secret in an earlier one, and in the names.
  return {
    text: parts
      .map((part) => `==> ${redactName(part.name, ledger)} <==\n${redactText(part.text, ledger)}`)
      .join("\n"),
    notes: notes.map((note) => redactText(note, ledger)),
  };
}

/** A path without its first slash names people as one that has it. */
export function redactName(name: string, ledger: RedactionLedger): string {
  return shown(redactText(`/${name}`, ledger).slice(1));
}

function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function asPlist(value: PropertyValue, ledger: RedactionLedger, note: string): RedactedFile {
  const xml = formatPlist(value as Properties);
  const comment = `<!-- Redacted. ${note.replace(/--/g, "-")}. -->`;
  const at = xml.indexOf("<plist");
  return { text: redactText(`${xml.slice(0, at)}${comment}\n${xml.slice(at)}`, ledger), notes: [note] };
}

/** Certificates name people in DER, which no text shape finds. */
function withoutCertificates(profile: Properties): Properties {
  return Object.fromEntries(
    Object.entries(profile).filter(([key]) => !/^(?:DeveloperCertificates|DER-Encoded-Profile)$/.test(key)),
  );
}
