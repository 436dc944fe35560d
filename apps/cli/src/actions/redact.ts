// drydock redact: evidence with its secrets replaced; signed and binary forms as text that says what is lost.

import { chmodSync, realpathSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { redactFile, redactName } from "@drydock/doctor/redaction/redacted-file";
import { RedactionLedger, redactText } from "@drydock/doctor/redaction/redacted-text";
import type { InputFile } from "../grammar/input-paths.ts";
import type { OutputFile } from "../grammar/output-paths.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { UsageError } from "../terminal/usage-error.ts";

export interface RedactCommand {
  readonly file: readonly InputFile[];
  readonly output?: OutputFile;
  readonly ledger?: OutputFile;
  readonly json: boolean;
}

export async function redact(
  { file, output, ledger, json }: RedactCommand,
  io: CommandIo,
): Promise<ExitCode> {
  if (ledger !== undefined && output !== undefined && folderOf(ledger.path) === folderOf(output.path))
    throw new UsageError(
      "the ledger would lie beside the result, and it is the key to everything that was taken out; name another folder for it",
    );
  const book = new RedactionLedger();
  const files: { readonly name: string; readonly text: string; readonly notes: readonly string[] }[] = [];
  for (const each of file) {
    const { text, notes } = await redactFile(each.label, each.bytes(), book).catch((error: unknown) => {
      if (error instanceof RangeError) throw new UsageError(error.message);
      throw error;
    });
    files.push({ name: each.label, text, notes });
    for (const note of notes) io.say(`drydock: ${note}`);
  }
  // What a later file has told is a secret in an earlier one, too.
  const told = files.map(({ name, text, notes }) => ({
    name: file.length === 1 ? name : redactName(name, book),
    text: file.length === 1 ? text : redactText(text, book),
    notes,
  }));
  const parts = told.map(({ name, text }) => (told.length === 1 ? text : `==> ${name} <==\n${text}`));
  if (json) io.document({ files: told, secrets: book.entries.length });
  else if (output === undefined) io.print(parts.join("\n"));
  else output.write(Buffer.from(parts.join("\n")));
  if (ledger !== undefined) {
    // Its rights come first: nobody else may read it for a moment.
    chmodSync(ledger.path, 0o600);
    ledger.write(
      Buffer.from(
        `${JSON.stringify({ kind: "drydock redaction ledger", entries: book.entries }, null, 2)}\n`,
      ),
    );
    chmodSync(ledger.path, 0o600);
  }
  io.say(`drydock: ${book.entries.length} secrets replaced; read the result before you give it away`);
  return exitCodes.pass;
}

const folderOf = (path: string): string => realpathSync(dirname(resolve(path)));
