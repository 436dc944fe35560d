// Does a document keep its published schema: our own for diagnoses, OASIS's for SARIF.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Ajv } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";

type Check = (document: unknown) => void;

function checkOf(validate: { (document: unknown): boolean; errors?: unknown }, name: string): Check {
  return (document) => {
    const isValid = validate(document);
    assert.ok(isValid, `${name}: ${JSON.stringify(validate.errors)?.slice(0, 2000)}`);
  };
}

/** As `drydock diagnose --json` prints it: what JSON leaves out is not there. */
export const assertDiagnosis: Check = (document) =>
  checkOf(
    new Ajv2020({ allErrors: true }).compile(
      JSON.parse(readFileSync(new URL("../../diagnosis.schema.json", import.meta.url), "utf8")),
    ),
    "diagnosis.schema.json",
  )(JSON.parse(JSON.stringify(document)));

/** SARIF 2.1.0 as published. The schema is draft 4; what it uses means the same in draft 7. */
export const assertSarif: Check = (document) => {
  const path = fileURLToPath(import.meta.resolve("@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"));
  const { $schema: _draft, id: _id, ...schema } = JSON.parse(readFileSync(path, "utf8"));
  checkOf(
    new Ajv({ strict: false, allErrors: true, validateFormats: false, unicodeRegExp: false }).compile(schema),
    "SARIF 2.1.0",
  )(JSON.parse(JSON.stringify(document)));
};
