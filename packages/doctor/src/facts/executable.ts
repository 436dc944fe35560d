// A Mach-O file or a code signature: what it is and what it claims.

import type { CodeDirectory, CodeSignature } from "@drydock/core/codec/code-signature/code-signature";
import type { CmsCertificate } from "@drydock/core/codec/der/cms";
import type { MachOSlice } from "@drydock/core/codec/macho/macho";
import type { Properties } from "@drydock/core/platform/properties";

/** Entitlements of a signature, in both forms that it may have. */
export interface SignedClaims {
  /** What the system goes by: the DER where there is one, otherwise the XML. Empty: nothing is claimed. */
  readonly claims: Properties;
  readonly source: "DER" | "XML" | "none";
  /** Keys in which the two forms say different things. */
  readonly differingKeys: readonly string[];
  readonly hasXmlComments: boolean;
}

/** Hashes of the code's pages, counted while the file was read. */
export interface PageHashes {
  readonly checked: number;
  /** Indexes of pages that are not what was signed; the first 16. */
  readonly wrong: readonly number[];
  readonly wrongCount: number;
  /** The signature covers this many bytes, and the file has as many before its signature. */
  readonly isCovered: boolean;
}

/** One architecture of a Mach-O file, or a signature by itself (`slice` is null then). */
export interface Executable {
  readonly slice: MachOSlice | null;
  readonly signature: CodeSignature | null;
  /** The CodeDirectory with the strongest hash; null when there is no signature. */
  readonly directory: CodeDirectory | null;
  readonly signed: SignedClaims | null;
  /** Certificates of the CMS signature, the signer's first; empty for ad-hoc signatures. Not verified. */
  readonly certificates: readonly CmsCertificate[];
  /** The Info.plist inside `__TEXT,__info_plist`, as command-line tools have it. */
  readonly infoPlist: Properties | null;
  /** Null: no hashes were at hand, or the hash is one that is not known here. */
  readonly pages: PageHashes | null;
}
