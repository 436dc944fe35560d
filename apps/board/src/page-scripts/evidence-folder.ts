// Files that somebody dropped, as the doctor sees them: diagnosed, redacted, and their lines.

import { shown } from "@drydock/core/base/shown-text";
import { diagnose } from "@drydock/doctor/diagnose";
import type { Answer, Diagnosis } from "@drydock/doctor/diagnosis";
import { sourceOfBytes } from "@drydock/doctor/facts/evidence-source";
import { lifeSentence } from "@drydock/doctor/life";
import { membersOf, redactFile, redactName, textOf } from "@drydock/doctor/redaction/redacted-file";
import { RedactionLedger, redactText } from "@drydock/doctor/redaction/redacted-text";
import { formatHtml } from "@drydock/doctor/report/html-report";
import { formatDiagnosis, placeName } from "@drydock/doctor/report/text-report";
import type { CppGrammar } from "@drydock/doctor/source/cpp-parser";
import type {
  AnswerCard,
  DiagnosisView,
  FileLines,
  RedactedView,
  ReportForm,
} from "@drydock/lab/page/desk-messages";

interface DroppedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Lines that are told around the one that is asked for, and of one file's marks. */
const linesAround = 150;
const mostMarkedLines = 300;
const longestLine = 2000;
const deepest = 3;

interface Redaction {
  readonly view: RedactedView;
  readonly texts: ReadonlyMap<string, string>;
  readonly ledger: RedactionLedger;
}

export class EvidenceFolder {
  #files: readonly DroppedFile[] = [];
  #grammar: CppGrammar | null = null;
  #diagnosis: Diagnosis | null = null;
  /** What a redacted report calls a file, and what it is called. */
  readonly #names = new Map<string, string>();
  #redacted: Promise<Redaction> | null = null;

  set(files: readonly DroppedFile[], grammar: CppGrammar | null): void {
    this.#files = files;
    this.#grammar = grammar;
    this.#diagnosis = null;
    this.#redacted = null;
  }

  async diagnose(isRedacted: boolean, today: string): Promise<DiagnosisView> {
    const ask = (redact: boolean): Promise<Diagnosis> =>
      diagnose(
        this.#files.map(({ bytes, name }) => sourceOfBytes(name, bytes)),
        { redact, today, ...(this.#grammar === null ? {} : { cppGrammar: this.#grammar }) },
      );
    const diagnosis = await ask(isRedacted);
    this.#names.clear();
    if (isRedacted)
      for (const [index, { name }] of (await ask(false)).files.entries())
        this.#names.set(diagnosis.files[index]?.name ?? "", name);
    this.#diagnosis = diagnosis;
    const { answers, files, hints, lives, missing, readings } = diagnosis;
    return {
      answers: answers.map(cardOf),
      hints: hints.map(cardOf),
      missing,
      lives: lives.map(lifeSentence),
      readings: readings.map(
        ({ file, text, who }) => `${file}: ${text}${who === null ? "" : `; to be done by ${who}`}`,
      ),
      files: files.map(({ kinds, name, problems, sizeBytes }) => ({
        name,
        kinds: kinds.join(", "),
        sizeBytes,
        problems,
      })),
    };
  }

  /** Throws RangeError for a file that has no lines, or is not here. */
  async lines(file: string, line: number, isRedacted: boolean): Promise<FileLines> {
    const text = isRedacted ? await this.#redactedText(file) : await this.#text(file);
    const all = text.split("\n");
    const first = Math.max(1, Math.min(line, all.length) - linesAround);
    return {
      file,
      first,
      lines: all.slice(first - 1, first - 1 + 2 * linesAround).map((each) => shown(each, longestLine)),
      count: all.length,
    };
  }

  async #redactedText(file: string): Promise<string> {
    const name = this.#names.get(file) ?? file;
    const { ledger, texts } = await this.#redaction();
    return texts.get(name) ?? redactText(await this.#text(name), ledger);
  }

  async #text(file: string): Promise<string> {
    const text = await this.#search(this.#files, file, 0);
    if (text === null) throw new RangeError(`${shown(file)} has no lines to show`);
    return text;
  }

  async #search(files: readonly DroppedFile[], wanted: string, depth: number): Promise<string | null> {
    for (const { bytes, name } of files) {
      // A report names files as they may be shown.
      const plain = shown(name);
      if (name === wanted || plain === wanted) return textOf(bytes);
      const inside = [name, plain].find((prefix) => wanted.startsWith(`${prefix}/`));
      if (inside === undefined || depth >= deepest) continue;
      const found = await this.#search(
        await membersOf(name, bytes),
        wanted.slice(inside.length + 1),
        depth + 1,
      );
      if (found !== null) return found;
    }
    return null;
  }

  async redact(): Promise<RedactedView> {
    return (await this.#redaction()).view;
  }

  #redaction(): Promise<Redaction> {
    this.#redacted ??= this.#redactAll();
    return this.#redacted;
  }

  async #redactAll(): Promise<Redaction> {
    const ledger = new RedactionLedger();
    const files: { name: string; text: string; notes: readonly string[] }[] = [];
    for (const { bytes, name } of this.#files) {
      const { notes, text } = await redactFile(name, bytes, ledger).catch((error: unknown) => {
        if (!(error instanceof RangeError)) throw error;
        return { text: "", notes: [`left out: ${error.message}`] };
      });
      files.push({ name, text, notes });
    }
    const pseudonyms = ledger.entries.map(({ pseudonym }) => pseudonym);
    const texts = new Map<string, string>();
    const told = files.map(({ name, notes, text }) => {
      // What a later file has told is a secret in an earlier one, too.
      const whole = redactText(text, ledger);
      texts.set(name, whole);
      const lines = markedLines(whole, pseudonyms);
      return {
        name: redactName(name, ledger),
        notes: notes.map((note) => shown(redactText(note, ledger), longestLine)),
        text: whole,
        lines: lines.slice(0, mostMarkedLines),
        more: Math.max(0, lines.length - mostMarkedLines),
      };
    });
    return { view: { secrets: ledger.entries.length, files: told }, texts, ledger };
  }

  /** Throws RangeError before anything was diagnosed. */
  report(form: ReportForm): string {
    const diagnosis = this.#diagnosis;
    if (diagnosis === null) throw new RangeError("nothing was diagnosed yet");
    switch (form) {
      case "html":
        return formatHtml(diagnosis);
      case "json":
        return `${JSON.stringify(diagnosis, null, 2)}\n`;
      case "text":
        return formatDiagnosis(diagnosis, { width: 100, all: true });
      case "markdown":
        return markdownOf(diagnosis);
    }
  }
}

function cardOf(answer: Answer): AnswerCard {
  const { because, certainty, claim, fix, missing, rule, score, severity, source, title, who, why } = answer;
  return {
    rule,
    title,
    severity,
    score,
    claim,
    why,
    fix,
    who,
    missing,
    knowledge: `${certainty} (${source})`,
    because: because.map((place) => ({
      file: place.file,
      line: place.line,
      name: placeName(place),
      text: place.text,
    })),
  };
}

function markedLines(text: string, pseudonyms: readonly string[]): RedactedView["files"][number]["lines"] {
  if (pseudonyms.length === 0) return [];
  const longestFirst = [...pseudonyms].sort((left, right) => right.length - left.length);
  const marks = new RegExp(
    `(${longestFirst.map((each) => each.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&")).join("|")})`,
  );
  return text.split("\n").flatMap((line, index) => {
    const parts = line.split(marks);
    if (parts.length === 1) return [];
    return [
      {
        line: index + 1,
        parts: parts
          .map((part, at) => ({ text: shown(part, longestLine), isMark: at % 2 === 1 }))
          .filter((part) => part.text !== ""),
      },
    ];
  });
}

/** What a post says of it: quoted as code, so that nothing in it is a link or an element. */
function markdownOf({ answers, files }: Diagnosis): string {
  const quoted = (lines: readonly string[]): string[] => {
    const fence = "`".repeat(
      Math.max(
        3,
        ...lines.map((line) => Math.max(0, ...(line.match(/`+/g) ?? []).map((run) => run.length)) + 1),
      ),
    );
    return [fence, ...lines, fence];
  };
  return `${[
    "What the doctor says:",
    "",
    ...(answers.length === 0 ? ["It knows no cause."] : []),
    ...answers
      .slice(0, 5)
      .flatMap(({ because, claim, rule }) => [
        ...quoted([
          `${rule}: ${claim}`,
          ...because.slice(0, 4).map((place) => `  ${placeName(place)}: ${place.text}`),
        ]),
        "",
      ]),
    "What it read:",
    "",
    ...quoted(files.map(({ kinds, name }) => `${name}: ${kinds.join(", ")}`)),
  ].join("\n")}\n`;
}
