// Signers of CMS data as RFC 5652 §5.3 lays them out: with and without signed attributes, with a timestamp, cut.

import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeCmsSigners } from "./cms-signers.ts";
import { DerTag, encodeDer, encodeDerInteger, encodeDerObjectIdentifier } from "./der.ts";

const sequence = (...parts: Uint8Array[]): Uint8Array => encodeDer(DerTag.sequence, parts);
const set = (...parts: Uint8Array[]): Uint8Array => encodeDer(DerTag.set, parts);
const octets = (...bytes: number[]): Uint8Array => encodeDer(DerTag.octetString, Uint8Array.from(bytes));
const algorithm = (dotted: string): Uint8Array => sequence(encodeDerObjectIdentifier(dotted));
const attribute = (dotted: string, value: Uint8Array): Uint8Array =>
  sequence(encodeDerObjectIdentifier(dotted), set(value));
const issuer = sequence(set(sequence(encodeDerObjectIdentifier("2.5.4.3"), octets(0x41))));
const sha256 = "2.16.840.1.101.3.4.2.1";
const rsa = "1.2.840.113549.1.1.1";
const digest = attribute("1.2.840.113549.1.9.4", octets(7, 8, 9));

/** ContentInfo with SignedData whose last part is the set of signers. */
const signedBy = (...signers: Uint8Array[]): Uint8Array =>
  sequence(
    encodeDerObjectIdentifier("1.2.840.113549.1.7.2"),
    encodeDer(0xa0, [
      sequence(
        encodeDerInteger(1),
        set(algorithm(sha256)),
        sequence(encodeDerObjectIdentifier("1.2.840.113549.1.7.1")),
        set(...signers),
      ),
    ]),
  );
const signer = (...more: Uint8Array[]): Uint8Array =>
  sequence(encodeDerInteger(1), sequence(issuer, encodeDerInteger(0x1234)), algorithm(sha256), ...more);

test("a signer without attributes has no digest and no time, and its signature is read", () => {
  const [one, ...others] = decodeCmsSigners(signedBy(signer(algorithm(rsa), octets(1, 2, 3))));
  assert.deepEqual(others, []);
  assert.deepEqual(one, {
    issuer,
    serial: Uint8Array.of(0x12, 0x34),
    digestAlgorithm: sha256,
    signatureAlgorithm: rsa,
    signature: Uint8Array.of(1, 2, 3),
    signedAttributes: null,
    messageDigest: null,
    signingTime: null,
    hasTimestamp: false,
  });
});

test("signed attributes are given as the SET that was signed; a timestamp is looked for in the unsigned ones", () => {
  const time = attribute("1.2.840.113549.1.9.5", encodeDer(0x17, new TextEncoder().encode("261201123456Z")));
  const signed = encodeDer(0xa0, [digest, time]);
  const token = encodeDer(0xa1, [attribute("1.2.840.113549.1.9.16.2.14", octets(0))]);
  const [one] = decodeCmsSigners(signedBy(signer(signed, algorithm(rsa), octets(1), token)));
  assert.equal(one.signedAttributes?.[0], DerTag.set);
  assert.deepEqual(one.signedAttributes?.subarray(1), signed.subarray(1));
  assert.deepEqual(one.messageDigest, Uint8Array.of(7, 8, 9));
  assert.match(one.signingTime ?? "", /^2026-12-01T12:34:56/);
  assert.equal(one.hasTimestamp, true);
  const other = encodeDer(0xa1, [attribute("1.2.840.113549.1.9.16.2.99", octets(0))]);
  assert.equal(decodeCmsSigners(signedBy(signer(algorithm(rsa), octets(1), other)))[0].hasTimestamp, false);
});

test("a signer that lacks its signature is refused; data without signers have none", () => {
  assert.throws(
    () => decodeCmsSigners(signedBy(signer(algorithm(rsa)))),
    /a signer without algorithm or signature/,
  );
  assert.deepEqual(decodeCmsSigners(signedBy()), []);
});
