// A CMS signature verified: digest, signature, chain to a root. RFC 5652 §5.4, §5.6; RFC 5280 §6.

import { sameBytes } from "@drydock/core/base/bytes";
import { DecodeError } from "@drydock/core/base/errors";
import { hexBytes } from "@drydock/core/base/text";
import { type Certificate, decodeCertificate } from "@drydock/core/codec/der/certificate";
import { decodeSignedData } from "@drydock/core/codec/der/cms";
import { type CmsSigner, decodeCmsSigners } from "@drydock/core/codec/der/cms-signers";
import type { DigestAlgorithm, SignatureCrypto } from "../facts/signature-crypto.ts";

export type Outcome =
  /** It was verified. */
  | "fits"
  /** It was looked at and is wrong. */
  | "broken"
  /** It cannot be said from what was given, or not off a Mac. */
  | "open";

export interface VerifiedPoint {
  readonly what: string;
  readonly outcome: Outcome;
  readonly text: string;
}

export interface VerifiedCms {
  readonly points: readonly VerifiedPoint[];
  /** Leaf first, as far as it could be followed. */
  readonly chain: readonly Certificate[];
  /** SHA-1 of each certificate. */
  readonly hashes: readonly Uint8Array[];
  /** Null: where it ends is not known. */
  readonly isAppleRooted: boolean | null;
}

/** SHA-256 of Apple's root certificates, as Apple publishes them with its certificates. */
const appleRoots: ReadonlyMap<string, string> = new Map([
  ["b0b1730ecbc7ff4505142c49f1295e6eda6bcaed7e2c68c5be91b5a11001f024", "Apple Root CA"],
  ["c2b9b042dd57830e7d117dac55ac8ae19407d38e41d88f3215bc3a890444a050", "Apple Root CA - G2"],
  ["63343abfb89a6a03ebb57e9b3f5fa7be7c4f5c756f3017b3a8c488c3653e9179", "Apple Root CA - G3"],
]);

const digests: Readonly<Record<string, DigestAlgorithm>> = {
  "1.3.14.3.2.26": "sha1",
  "2.16.840.1.101.3.4.2.1": "sha256",
  "2.16.840.1.101.3.4.2.2": "sha384",
  "2.16.840.1.101.3.4.2.3": "sha512",
};

/** Signatures that name their digest; RSA alone takes the one beside it. */
const signatures: Readonly<Record<string, DigestAlgorithm>> = {
  "1.2.840.113549.1.1.5": "sha1",
  "1.2.840.113549.1.1.11": "sha256",
  "1.2.840.113549.1.1.12": "sha384",
  "1.2.840.113549.1.1.13": "sha512",
  "1.2.840.10045.4.1": "sha1",
  "1.2.840.10045.4.3.2": "sha256",
  "1.2.840.10045.4.3.3": "sha384",
  "1.2.840.10045.4.3.4": "sha512",
};
const plainRsa = "1.2.840.113549.1.1.1";
const longestChain = 8;

interface Known {
  readonly der: Uint8Array;
  readonly certificate: Certificate;
}

/**
 * `content`: what was signed; null takes what the CMS holds itself. `roots`: certificates (DER) that are trusted beside Apple's
 * own. Throws DecodeError for what is no CMS.
 */
export function verifyCms(
  cms: Uint8Array,
  content: Uint8Array | null,
  crypto: SignatureCrypto,
  roots: readonly Uint8Array[],
): VerifiedCms {
  const data = decodeSignedData(cms);
  const [signer] = decodeCmsSigners(cms);
  const signed = content ?? data.content;
  const none = { chain: [], hashes: [], isAppleRooted: null };
  if (signer === undefined || signed === null)
    return { points: [{ what: "signer", outcome: "open", text: "nobody signed it" }], ...none };
  const known = [...data.certificates.map(({ der }) => der), ...roots].flatMap(knownCertificate);
  const leaf = known.find(
    ({ certificate }) =>
      signer.serial !== null &&
      signer.issuer !== null &&
      sameBytes(certificate.serial, signer.serial) &&
      sameBytes(certificate.issuer, signer.issuer),
  );
  if (leaf === undefined)
    return {
      points: [
        { what: "signer", outcome: "open", text: "the signer's certificate is not among those it carries" },
      ],
      ...none,
    };
  const { ends, links, points } = followed(leaf, known, crypto, roots);
  return {
    points: [signature(signer, signed, leaf.certificate, crypto), ...points, validity(links, signer)],
    chain: links.map(({ certificate }) => certificate),
    hashes: links.map(({ der }) => crypto.digest("sha1", der)),
    isAppleRooted: ends,
  };
}

function knownCertificate(der: Uint8Array): Known[] {
  try {
    return [{ der, certificate: decodeCertificate(der) }];
  } catch (error) {
    if (error instanceof DecodeError) return [];
    throw error;
  }
}

function signature(
  signer: CmsSigner,
  content: Uint8Array,
  { publicKey, subjectFields }: Certificate,
  crypto: SignatureCrypto,
): VerifiedPoint {
  const what = "signature";
  const digest = digests[signer.digestAlgorithm];
  const algorithm = signer.signatureAlgorithm === plainRsa ? digest : signatures[signer.signatureAlgorithm];
  if (digest === undefined || algorithm === undefined)
    return {
      what,
      outcome: "open",
      text: `it uses an algorithm that is not known here (${signer.digestAlgorithm}, ${signer.signatureAlgorithm})`,
    };
  if (
    signer.signedAttributes !== null &&
    (signer.messageDigest === null || !sameBytes(crypto.digest(digest, content), signer.messageDigest))
  )
    return { what, outcome: "broken", text: "what is here is not what was signed: the digest differs" };
  const signed = signer.signedAttributes ?? content;
  const by = subjectFields.get("2.5.4.3")?.[0] ?? "a certificate without a name";
  return crypto.verify(algorithm, publicKey, signer.signature, signed)
    ? { what, outcome: "fits", text: `signed by ${by}` }
    : { what, outcome: "broken", text: `the signature is not one of ${by}` };
}

function followed(
  leaf: Known,
  known: readonly Known[],
  crypto: SignatureCrypto,
  roots: readonly Uint8Array[],
): { links: Known[]; points: VerifiedPoint[]; ends: boolean | null } {
  const what = "chain";
  const links = [leaf];
  const nameOf = ({ certificate }: Known): string =>
    certificate.subjectFields.get("2.5.4.3")?.[0] ?? "without a name";
  for (;;) {
    const last = links[links.length - 1];
    const digest = hexBytes(crypto.digest("sha256", last.der)).replace(/ /g, "");
    const apple = appleRoots.get(digest);
    const path = links.map(nameOf).join(", ");
    if (apple !== undefined)
      return { links, points: [{ what, outcome: "fits", text: `${path}: Apple's root` }], ends: true };
    if (roots.some((root) => sameBytes(root, last.der)))
      return {
        links,
        points: [{ what, outcome: "fits", text: `${path}: the root that was given` }],
        ends: false,
      };
    if (sameBytes(last.certificate.issuer, last.certificate.subject))
      return {
        links,
        points: [
          {
            what,
            outcome: roots.length > 0 ? "broken" : "open",
            text: `${path}: it ends there, which is none of Apple's roots${roots.length > 0 ? " and none that was given" : "; with --root FILE it can be trusted"}`,
          },
        ],
        ends: false,
      };
    const issuer = known.find(
      (one) => !links.includes(one) && sameBytes(one.certificate.subject, last.certificate.issuer),
    );
    if (issuer === undefined || links.length === longestChain)
      return {
        links,
        points: [
          { what, outcome: "open", text: `${path}: the certificate that issued the last one was not given` },
        ],
        ends: null,
      };
    const algorithm = signatures[last.certificate.algorithm];
    if (algorithm === undefined)
      return {
        links,
        points: [{ what, outcome: "open", text: `${path}: an algorithm that is not known here` }],
        ends: null,
      };
    if (
      !issuer.certificate.isAuthority ||
      !crypto.verify(
        algorithm,
        issuer.certificate.publicKey,
        last.certificate.signature,
        last.certificate.signed,
      )
    )
      return {
        links,
        points: [
          {
            what,
            outcome: "broken",
            text: `${nameOf(issuer)} did not sign the certificate of ${nameOf(last)}`,
          },
        ],
        ends: null,
      };
    links.push(issuer);
  }
}

/** On the day that the signer claims: a timestamp, where there is one, is not verified here. */
function validity(links: readonly Known[], { hasTimestamp, signingTime }: CmsSigner): VerifiedPoint {
  const what = "certificates in date";
  if (signingTime === null) return { what, outcome: "open", text: "the signer does not say when it signed" };
  const wrong = links.find(
    ({ certificate }) => signingTime < certificate.notBefore || signingTime > certificate.notAfter,
  );
  const when = `on ${signingTime.slice(0, 10)}, ${hasTimestamp ? "which a timestamp confirms (not verified here)" : "as the signer says itself, without a timestamp"}`;
  return wrong === undefined
    ? { what, outcome: "fits", text: when }
    : {
        what,
        outcome: "broken",
        text: `${when}: ${wrong.certificate.subjectFields.get("2.5.4.3")?.[0] ?? "a certificate"} was valid from ${wrong.certificate.notBefore.slice(0, 10)} to ${wrong.certificate.notAfter.slice(0, 10)} only`,
      };
}
