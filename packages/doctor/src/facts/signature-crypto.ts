// What verifying a signature needs of whoever has hashes and keys: the doctor has none of its own.

export type DigestAlgorithm = "sha1" | "sha256" | "sha384" | "sha512";

export interface RunningDigest {
  update(bytes: Uint8Array): void;
  /** Called once, last. */
  digest(): Uint8Array;
}

export interface SignatureCrypto {
  digest(algorithm: DigestAlgorithm, bytes: Uint8Array): Uint8Array;
  begin(algorithm: DigestAlgorithm): RunningDigest;
  /**
   * RSA with PKCS #1 v1.5, or ECDSA with its signature in DER, as the key (SubjectPublicKeyInfo) says. False for a signature
   * that does not fit and for a key that cannot be used; it never throws.
   */
  verify(algorithm: DigestAlgorithm, publicKey: Uint8Array, signature: Uint8Array, data: Uint8Array): boolean;
}

/** Digests of a whole file, for the places in a signature that name one. */
export interface FileDigests {
  readonly sha1: Uint8Array;
  readonly sha256: Uint8Array;
}

/** The hash types of a CodeDirectory; a truncated one is compared as far as it goes. */
export function digestOfHashType(hashType: string): DigestAlgorithm | null {
  switch (hashType) {
    case "sha1":
    case "sha384":
      return hashType;
    case "sha256":
    case "sha256-truncated":
      return "sha256";
    default:
      return null;
  }
}
