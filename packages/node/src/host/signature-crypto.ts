// Hashes and public keys for verifying code signatures: node:crypto behind four methods.

import { Buffer } from "node:buffer";
import { createHash, createPublicKey, verify } from "node:crypto";

type Algorithm = "sha1" | "sha256" | "sha384" | "sha512";

export const signatureCrypto = {
  digest: (algorithm: Algorithm, bytes: Uint8Array): Uint8Array =>
    createHash(algorithm).update(bytes).digest(),
  begin(algorithm: Algorithm): { update(bytes: Uint8Array): void; digest(): Uint8Array } {
    const hash = createHash(algorithm);
    return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() };
  },
  verify(algorithm: Algorithm, publicKey: Uint8Array, signature: Uint8Array, data: Uint8Array): boolean {
    try {
      const key = createPublicKey({ key: Buffer.from(publicKey), format: "der", type: "spki" });
      return verify(algorithm, data, key, signature);
    } catch {
      // A key that this library does not know, or a signature that is none.
      return false;
    }
  },
};
