// The table of commands: help with an example, completion, and every mistaken line of every command.

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { mistakenLines, rightLine } from "../test/mistaken-lines.ts";
import { recordedIo } from "../test/recorded-io.ts";
import { commandTable } from "./command-table.ts";
import { runCommandLine } from "./grammar/command-line.ts";
import { type CommandRow, type CommandTable, rowOf, rowsOf } from "./grammar/command-row.ts";

const rows = await rowsOf(commandTable);

let folder = "";
before(() => {
  folder = mkdtempSync(join(tmpdir(), "drydock-lines-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** The table with a row that does nothing but say that it ran. */
function tableOf(row: CommandRow, ran: () => void): CommandTable {
  const entries = commandTable.entries.map((each) =>
    each.words === row.words ? { ...each, form: async () => ({ ...row, run: () => ran() }) } : each,
  );
  return { ...commandTable, entries };
}

/** Every file below the folder, with its bytes. */
function contents(): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()) {
    const path = join(folder, name);
    found[name] = statSync(path).isFile() ? readFileSync(path, "latin1") : "";
  }
  return found;
}

/** What the operating system and Node say, which nobody should have to read. */
const rawWords =
  /\b(E[A-Z]{3,}[A-Z0-9]*|ERR_[A-Z_]+|errno|syscall|undefined|NaN|\[object|TypeError|node:internal)\b|^\s+at /m;

for (const row of rows) {
  const name = row.words.join(" ");

  test(`drydock ${name}: help has an example, every option and the exit codes`, async () => {
    const io = recordedIo();
    assert.equal(await runCommandLine(commandTable, [...row.words, "--help"], io), 0);
    assert.match(io.printed(), /\nExample:\n {2}\S/);
    assert.match(io.printed(), /Exit codes: 0 pass/);
    assert.match(row.example, new RegExp(`drydock ${name}\\b`));
    for (const key of Object.keys(row.options))
      assert.ok(
        io.printed().includes(`--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`),
        key,
      );
    assert.equal(io.said(), "");
  });

  test(`drydock ${name}: a right line runs`, async () => {
    let runs = 0;
    const io = recordedIo();
    const words = await rightLine(row, { folder });
    const isLine = name !== "completion";
    const code = await runCommandLine(
      tableOf(row, () => runs++),
      isLine ? words : [...words, "bash"],
      io,
    );
    assert.deepEqual([code, runs, io.said()], [0, 1, ""]);
  });

  test(`drydock ${name}: each mistaken line is usage, says what is wrong, and runs nothing`, async () => {
    const place = { folder };
    const lines = await mistakenLines(row, place);
    const there = contents();
    assert.ok(lines.length >= 3);
    for (const { words, why, mentions } of lines) {
      let runs = 0;
      const io = recordedIo();
      const code = await runCommandLine(
        tableOf(row, () => runs++),
        words,
        io,
      );
      const told = `${why}: ${JSON.stringify(words.map((word) => word.slice(0, 60)))}: ${io.said()}`;
      assert.equal(code, 2, told);
      assert.equal(runs, 0, told);
      assert.equal(io.printed(), "", told);
      assert.match(io.said(), /^drydock: /, told);
      assert.ok(io.said().includes(mentions), `mentions ${mentions}: ${told}`);
      // What was typed is quoted; the rest is ours.
      assert.doesNotMatch(io.said().replace(/"[^"]*"/g, ""), rawWords, told);
      assert.ok(io.said().split("\n")[0].length < 600, told);
      assert.doesNotMatch(io.said().replaceAll("\n", ""), /\p{Cc}|\p{Cf}/u, told);
    }
    assert.deepEqual(contents(), there, "no file was made, changed or taken away");
  });
}

// What was taken and did nothing before: most of all what would have kept strangers out (RFC 7143 §9.2).
test("an option that would do nothing beside the others is refused", async () => {
  const lines: [string, RegExp][] = [
    ["import usbip 127.0.0.1:1 --link fresh", /--link means nothing without a busid/],
    ["import usbip 127.0.0.1:1 --seed 3", /--seed means nothing without a busid/],
    ["case --seed 3", /--seed means nothing without a case/],
    ["case P02 --list", /--list lists all cases/],
    ["case P02 --all", /--all plays every case/],
    ["registry --why --json", /--why and --json exclude each other/],
    ["disk coverage --through uas -- true {url}", /--through means nothing with a command/],
    ["disk coverage --through raid --pcap {sample}", /--pcap is about USB, and --through raid has none/],
    ["disk coverage -- true", /needs \{url\}/],
    ["disk prove --through none --fault short-mode-sense", /needs a SCSI disk/],
    ["disk serve --through none --fault stall:ep=0x81", /--fault, --pcap and --perfetto are about the bus/],
    ["disk serve --name a --name a", /two disks cannot have one name/],
    ["disk serve --iscsi --through uas", /--through and --iscsi exclude each other/],
    ["diagnose / --json --width 80", /--json and --width exclude each other/],
    ["completion", /shell is missing/],
    ["completion bash --json", /leave one out/],
  ];
  for (const [line, words] of lines) {
    const io = recordedIo();
    assert.equal(await runCommandLine(commandTable, line.split(" "), io), 2, line);
    assert.match(io.said(), words, line);
  }
});

test("a secret in the environment that nobody would be asked for is no way to begin", async () => {
  for (const [variable, line] of [
    ["DRYDOCK_CHAP_SECRET", "disk serve --iscsi"],
    ["DRYDOCK_CHAP_MUTUAL_SECRET", "disk serve --iscsi --chap-user dock"],
  ]) {
    process.env[variable] = "a-secret-long-enough";
    try {
      const io = recordedIo();
      assert.equal(await runCommandLine(commandTable, line.split(" "), io), 2);
      assert.match(io.said(), new RegExp(`${variable} is set, but without --chap`));
    } finally {
      delete process.env[variable];
    }
  }
});

test("a fault of our own is said to be one, and is never taken for wrong use", async () => {
  for (const fault of [new TypeError("x is not a function"), new RangeError("Invalid array length")]) {
    const io = recordedIo();
    const entries = commandTable.entries.map((entry) => ({
      ...entry,
      form: async () => ({
        ...(await rowOf(entry)),
        run: () => {
          throw fault;
        },
      }),
    }));
    assert.equal(await runCommandLine({ ...commandTable, entries }, ["rigs"], io), 3);
    assert.match(io.said(), /a fault of drydock itself/);
  }
});

test("a word that is no command is usage, and what was typed cannot command the terminal", async () => {
  const io = recordedIo();
  assert.equal(await runCommandLine(commandTable, ["no-such\x1b]0;title\x07"], io), 2);
  assert.match(io.said(), /no-such\\x1b\]0;title\\x07/);
});

test("completion scripts name every command and option; fish and bash read them", async () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    const io = recordedIo();
    assert.equal(await runCommandLine(commandTable, ["completion", shell], io), 0);
    for (const row of rows) {
      for (const word of row.words) assert.ok(io.printed().includes(word), `${shell}: ${word}`);
      for (const key of Object.keys(row.options))
        assert.ok(
          io.printed().includes(key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)),
          `${shell}: ${key}`,
        );
    }
  }
});

test("completion --json is the whole table as one document", async () => {
  const io = recordedIo();
  assert.equal(await runCommandLine(commandTable, ["completion", "--json"], io), 0);
  const document = JSON.parse(io.printed());
  assert.deepEqual(
    document.commands.map(({ words }: { words: string[] }) => words.join(" ")),
    rows.map(({ words }) => words.join(" ")),
  );
});

test("every command can answer with one JSON document", () => {
  for (const row of rows) assert.ok("json" in row.options, row.words.join(" "));
});
