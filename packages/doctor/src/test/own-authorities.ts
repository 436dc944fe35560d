// Roots and signers made by openssl for one test: who signs, what they sign, and a requirement that names them.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeUtf8 } from "@drydock/core/base/text";
import { sampleTeam } from "./signed-samples.ts";

export const opensslSkip =
  spawnSync("openssl", ["version"]).error === undefined
    ? false
    : "openssl is missing: apt-get install openssl";

const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** Each name is a root of its own, and a leaf with one of Apple's marks below it. */
export class OwnAuthorities {
  readonly #folder = mkdtempSync(join(tmpdir(), "drydock-authority-"));

  constructor(names: readonly string[]) {
    for (const name of names) this.#make(name);
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** DER. */
  root(name: string): Uint8Array {
    return this.#read(`${name}.der`);
  }

  /** CMS over the content, which is not in it, with both certificates. */
  sign(name: string, content: Uint8Array): Uint8Array {
    writeFileSync(this.#at("in"), content);
    openssl(
      ...[
        "cms",
        "-sign",
        "-binary",
        "-outform",
        "DER",
        "-md",
        "sha256",
        "-signer",
        this.#at(`${name}-leaf.pem`),
      ],
      ...["-inkey", this.#at(`${name}-leaf.key`), "-certfile", this.#at(`${name}.pem`)],
      ...["-in", this.#at("in"), "-out", this.#at("out")],
    );
    return this.#read("out");
  }

  #make(name: string): void {
    const [root, leaf] = [this.#at(name), this.#at(`${name}-leaf`)];
    openssl(
      ...["req", "-x509", ...ec, "-days", "3650", "-subj", `/CN=${name} Root`],
      ...["-keyout", `${root}.key`, "-out", `${root}.pem`],
    );
    openssl("x509", "-in", `${root}.pem`, "-outform", "DER", "-out", `${root}.der`);
    openssl(
      ...["req", ...ec, "-subj", `/OU=${sampleTeam}/CN=${name} Signer`],
      ...["-keyout", `${leaf}.key`, "-out", `${leaf}.csr`],
    );
    writeFileSync(this.#at("mark"), "1.2.840.113635.100.6.1.13=DER:0500\n");
    openssl(
      ...[
        "x509",
        "-req",
        "-days",
        "365",
        "-in",
        `${leaf}.csr`,
        "-CA",
        `${root}.pem`,
        "-CAkey",
        `${root}.key`,
      ],
      ...["-CAcreateserial", "-extfile", this.#at("mark"), "-out", `${leaf}.pem`],
    );
  }

  #at(name: string): string {
    return join(this.#folder, name);
  }

  #read(name: string): Uint8Array {
    return new Uint8Array(readFileSync(this.#at(name)));
  }
}

function openssl(...args: string[]): void {
  const { status, stderr } = spawnSync("openssl", args, { encoding: "utf8" });
  assert.equal(status, 0, stderr);
}

/** Compiled: identifier "..." and certificate leaf[subject.OU] = TEAM. */
export function requirementFor(identifier: string): Uint8Array {
  const word = (value: number): number[] => [
    value >>> 24,
    (value >> 16) & 255,
    (value >> 8) & 255,
    value & 255,
  ];
  const data = (text: string): number[] => [
    ...word(text.length),
    ...encodeUtf8(text),
    ...new Array((4 - (text.length % 4)) % 4).fill(0),
  ];
  return Uint8Array.from([
    ...word(6),
    ...[...word(2), ...data(identifier)],
    ...[...word(11), ...word(0), ...data("subject.OU"), ...word(1), ...data(sampleTeam)],
  ]);
}
