// A property list given as bytes, XML or binary: those inside profiles and signatures.

import { DecodeError } from "@drydock/core/base/errors";
import { decodeUtf8 } from "@drydock/core/base/text";
import type { PropertyValue } from "@drydock/core/platform/properties";
import { isBinaryPlist, parseBinaryPlist } from "./plist-binary.ts";
import { parsePlistXml } from "./plist-xml.ts";
import { TextDocument } from "./reader.ts";

/** Throws DecodeError for what is no property list, or not a whole one. */
export function plistOfBytes(bytes: Uint8Array): PropertyValue {
  return readPlistBytes(bytes).value;
}

export interface PlistBytes {
  readonly value: PropertyValue;
  readonly hasComment: boolean;
}

/** The same, and whether an XML comment is in it. */
export function readPlistBytes(bytes: Uint8Array): PlistBytes {
  if (isBinaryPlist(bytes)) return { value: parseBinaryPlist(bytes), hasComment: false };
  const parsed = parsePlistXml(new TextDocument("", decodeUtf8(bytes)));
  if (parsed === null) throw new DecodeError("property list", 0, "there is none");
  if (parsed.problem !== null) throw new DecodeError("property list", bytes.length, parsed.problem);
  return { value: parsed.value, hasComment: parsed.hasComment };
}
