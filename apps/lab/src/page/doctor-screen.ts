// The doctor: evidence dropped, pasted or chosen; answers as cards, lines that open, what a redacted copy would say.

import { signal } from "@preact/signals";
import { h } from "preact";
import { useEffect } from "preact/hooks";
import type {
  AnswerCard,
  DiagnosisView,
  EvidenceDesk,
  FileLines,
  RedactedView,
  ReportForm,
  SeenPlace,
} from "./desk-messages.ts";
import { bytesOf, DropPlace } from "./drop-place.ts";
import type { LabPage } from "./lab-page.ts";
import { saveBlob } from "./parts.ts";

export interface Doctor {
  /** Under the strict policy: everything but C++ source. */
  readonly plain: EvidenceDesk;
  /** With the reader of C++ source. */
  readonly source: EvidenceDesk;
  /** What that reader needs, asked of the server once. Rejects with words for people. */
  loadWasm(): Promise<{ readonly runtime: Uint8Array; readonly grammar: Uint8Array }>;
  /** Whether posts can be written here. */
  readonly hasBoard: boolean;
}

interface Dropped {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const files = signal<readonly Dropped[]>([]);
const isRedacted = signal(false);
const isBusy = signal(false);
const view = signal<DiagnosisView | null>(null);
const opened = signal<(FileLines & { readonly line: number }) | null>(null);
const redacted = signal<RedactedView | null>(null);
const draft = signal("");
const trouble = signal("");
const remark = signal("");
let asked = 0;

const sourceName = /\.(?:cpp|cc|cxx|c|h|hpp|hh|iig|mm|m)$/i;
/** What an archive holds is not known before it is read. */
const archiveName = /\.(?:zip|tar|tgz|gz|pkg|xip)$/i;
const pastedSource =
  /^\s*#\s*(?:include|import)\b|\bclass\s+\w+\s*:\s*public\b|\b(?:kern_return_t|IMPL\s*\()/m;

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function wantsSource(all: readonly Dropped[]): boolean {
  return all.some(
    ({ bytes, name }) =>
      sourceName.test(name) ||
      archiveName.test(name) ||
      pastedSource.test(new TextDecoder().decode(bytes.subarray(0, 65_536))),
  );
}

/** The desk that holds the files now. */
let desk: EvidenceDesk | null = null;

async function hand(doctor: Doctor): Promise<EvidenceDesk> {
  const all = files.peek();
  remark.value = "";
  if (wantsSource(all))
    try {
      await doctor.source.files(all, await doctor.loadWasm());
      return doctor.source;
    } catch (error) {
      remark.value = `C++ source is named and not read: ${wordsOf(error)}`;
    }
  await doctor.plain.files(all, null);
  return doctor.plain;
}

async function look(doctor: Doctor, isOther: boolean): Promise<void> {
  const mine = ++asked;
  opened.value = null;
  draft.value = "";
  trouble.value = "";
  if (isOther) {
    redacted.value = null;
    desk = null;
  }
  if (files.peek().length === 0) {
    view.value = null;
    return;
  }
  isBusy.value = true;
  try {
    desk ??= await hand(doctor);
    const found = await desk.diagnose(isRedacted.peek(), new Date().toISOString());
    if (mine !== asked) return;
    view.value = found;
    if (isRedacted.peek() && redacted.peek() === null) redacted.value = await desk.redact();
  } catch (error) {
    if (mine === asked) trouble.value = wordsOf(error);
  }
  if (mine === asked) isBusy.value = false;
}

async function open(place: SeenPlace): Promise<void> {
  if (desk === null) return;
  try {
    const found = await desk.lines(place.file, place.line, isRedacted.peek());
    opened.value = { ...found, line: place.line };
  } catch (error) {
    opened.value = { file: place.name, first: 0, lines: [wordsOf(error)], count: 0, line: 0 };
  }
}

async function take(page: LabPage, doctor: Doctor, given: readonly File[]): Promise<void> {
  const added: Dropped[] = [];
  for (const file of given)
    try {
      added.push({ name: file.name, bytes: await bytesOf(file) });
    } catch (error) {
      page.link.say(wordsOf(error), true);
    }
  if (added.length === 0) return;
  const names = new Set(added.map(({ name }) => name));
  const isPaste = added.length === 1 && added[0].name === "pasted.txt";
  const kept = files.peek().filter(({ name }) => isPaste || !names.has(name));
  const count = kept.filter(({ name }) => name.startsWith("pasted")).length;
  files.value = [
    ...kept,
    ...(isPaste && count > 0 ? [{ name: `pasted-${count + 1}.txt`, bytes: added[0].bytes }] : added),
  ];
  await look(doctor, true);
}

export function DoctorScreen({ doctor, page }: { readonly doctor: Doctor; readonly page: LabPage }) {
  useEffect(() => {
    const box = document.querySelector(".opened-file .asked");
    box?.scrollIntoView({ block: "center" });
  }, [opened.value]);
  const found = view.value;
  return h(
    "section",
    { class: "doctor" },
    h(
      "div",
      { class: "headline" },
      h("h1", null, "Doctor"),
      h(DropPlace, {
        page,
        label: "Drop or paste logs, panics, crashes, ioreg, profiles, captures, source, or",
        multiple: true,
        onFiles: (given) => void take(page, doctor, given),
      }),
    ),
    h(PasteField, { page, doctor }),
    files.value.length === 0
      ? h(
          "p",
          { class: "empty" },
          "What you drop is read in a worker that can send nothing anywhere. The same in a terminal: ",
          h("code", null, "npx drydock diagnose FOLDER"),
        )
      : h(FileList, { doctor }),
    trouble.value === "" ? null : h("p", { class: "trouble", role: "alert" }, trouble.value),
    remark.value === "" ? null : h("p", { class: "soft", role: "status" }, remark.value),
    h(
      "p",
      { class: "soft doctor-says", role: "status" },
      isBusy.value
        ? "Reading …"
        : found === null
          ? ""
          : `${found.answers.length} answers, ${found.hints.length} hints, from ${found.files.length} files.`,
    ),
    found === null
      ? null
      : h(
          "div",
          { class: "two" },
          h(
            "div",
            { class: "answers" },
            found.answers.length === 0
              ? h(
                  "article",
                  { class: "card s-note" },
                  h("p", { class: "claim" }, "I don't know the cause."),
                  h("p", null, "Nothing in this evidence points to one."),
                )
              : found.answers.map((answer, index) =>
                  h(Card, { answer, isOpen: index === 0, key: answer.rule + answer.claim }),
                ),
            found.hints.length === 0 ? null : h("h2", null, "Seen, but it fits many causes"),
            found.hints.map((answer) => h(Card, { answer, isOpen: false, key: answer.rule + answer.claim })),
            list(found.answers.length === 0 ? "What would help" : "Still missing", found.missing),
            list("An extension's life, as the lines tell it", found.lives),
            list("What was read", found.readings),
          ),
          h(
            "div",
            { class: "beside" },
            h(OpenedFile, {}),
            h(RedactedPart, {}),
            h(PostPart, { doctor, page }),
          ),
        ),
  );
}

function list(title: string, texts: readonly string[]) {
  if (texts.length === 0) return null;
  return [
    h("h2", null, title),
    h(
      "ul",
      null,
      texts.map((text) => h("li", null, text)),
    ),
  ];
}

function PasteField({ doctor, page }: { readonly doctor: Doctor; readonly page: LabPage }) {
  return h(
    "details",
    { class: "paste" },
    h("summary", null, "Or paste text here"),
    h(
      "form",
      {
        onSubmit: (event: Event) => {
          event.preventDefault();
          const field = (event.target as HTMLFormElement).elements.namedItem("text") as HTMLTextAreaElement;
          if (field.value.trim() !== "") void take(page, doctor, [new File([field.value], "pasted.txt")]);
          field.value = "";
        },
      },
      h("textarea", { name: "text", rows: 5, "aria-label": "Evidence as text", spellcheck: false }),
      h("button", { type: "submit", class: "act" }, "Diagnose it"),
    ),
  );
}

function FileList({ doctor }: { readonly doctor: Doctor }) {
  const read = new Map((view.value?.files ?? []).map((file) => [file.name, file]));
  return h(
    "div",
    { class: "file-list" },
    h(
      "ul",
      null,
      files.value.map(({ bytes, name }) => {
        const file = read.get(name);
        return h(
          "li",
          { key: name },
          h("b", null, name),
          ` ${file?.kinds ?? ""} ${bytes.length.toLocaleString("en")} bytes `,
          h(
            "button",
            {
              type: "button",
              class: "small",
              "aria-label": `Put away ${name}`,
              onClick: () => {
                files.value = files.peek().filter((other) => other.name !== name);
                void look(doctor, true);
              },
            },
            "Put away",
          ),
          (file?.problems ?? []).map((problem) => h("div", { class: "problem" }, problem)),
        );
      }),
    ),
    h(
      "label",
      { class: "check" },
      h("input", {
        type: "checkbox",
        name: "redact",
        checked: isRedacted.value,
        onChange: (event: Event) => {
          isRedacted.value = (event.target as HTMLInputElement).checked;
          void look(doctor, false);
        },
      }),
      " Redact: names of people, teams, machines and devices become words",
    ),
  );
}

function Card({ answer, isOpen }: { readonly answer: AnswerCard; readonly isOpen: boolean }) {
  const post = /^DR(\d{2})-/.exec(answer.rule)?.[1] ?? "";
  return h(
    "details",
    { class: `card s-${answer.severity}`, open: isOpen, "data-rule": answer.rule },
    h(
      "summary",
      null,
      h("span", { class: "grade" }, `${answer.severity}, ${answer.score} of 100`),
      h("span", { class: "claim" }, answer.claim),
    ),
    h("p", { class: "soft" }, `${answer.rule}, ${answer.title}. To be done by ${answer.who}.`),
    h("h3", null, "Evidence"),
    h(
      "ul",
      { class: "because" },
      answer.because.map((place) =>
        h(
          "li",
          null,
          h("button", { type: "button", class: "link", onClick: () => void open(place) }, place.name),
          h("code", null, place.text),
        ),
      ),
    ),
    h("h3", null, "Why"),
    h("p", null, answer.why),
    h("h3", null, "Fix"),
    h(
      "ol",
      null,
      answer.fix.map((step) => h("li", null, step)),
    ),
    answer.missing.length === 0
      ? null
      : [
          h("h3", null, "Would make it surer"),
          h(
            "ul",
            null,
            answer.missing.map((text) => h("li", null, text)),
          ),
        ],
    h("p", { class: "soft" }, `Knowledge: ${answer.knowledge}`),
    post === ""
      ? null
      : h(
          "p",
          null,
          h("a", { class: "to-case", href: `#/cases/P${post}?seed=1` }, `A case like it that runs: P${post}`),
        ),
  );
}

function OpenedFile() {
  const file = opened.value;
  if (file === null)
    return h("p", { class: "soft" }, "A place of the evidence opens its file here, at the line.");
  return h(
    "section",
    { class: "opened-file", "aria-label": `${file.file}, line ${file.line}` },
    h("h2", null, file.file),
    h(
      "pre",
      { tabIndex: 0 },
      file.lines.map((text, index) => {
        const number = file.first + index;
        return h(
          "div",
          { key: number, class: number === file.line ? "asked" : "" },
          h("span", { class: "offset" }, file.first === 0 ? "" : String(number)),
          text,
        );
      }),
    ),
    file.count > file.lines.length
      ? h(
          "p",
          { class: "soft" },
          `Lines ${file.first} to ${file.first + file.lines.length - 1} of ${file.count}`,
        )
      : null,
  );
}

function RedactedPart() {
  const shown = redacted.value;
  if (!isRedacted.value || shown === null) return null;
  return h(
    "section",
    { class: "redaction", "aria-label": "What a redacted copy says" },
    h("h2", null, `Redacted: ${shown.secrets} secrets replaced`),
    h(
      "p",
      { class: "soft" },
      "Read it before you give it away: each mark stands where something was taken out.",
    ),
    shown.files.map((file) =>
      h(
        "details",
        { key: file.name, open: shown.files.length < 4 },
        h("summary", null, file.name),
        file.notes.map((note) => h("p", { class: "soft" }, note)),
        h(
          "pre",
          { tabIndex: 0 },
          file.lines.map(({ line, parts }) =>
            h(
              "div",
              { key: line },
              h("span", { class: "offset" }, String(line)),
              parts.map(({ isMark, text }) => (isMark ? h("mark", null, text) : text)),
            ),
          ),
        ),
        file.lines.length === 0 ? h("p", { class: "soft" }, "Nothing in it was taken out.") : null,
        file.more > 0 ? h("p", { class: "soft" }, `and ${file.more} more lines with marks`) : null,
        h(
          "button",
          {
            type: "button",
            class: "act",
            disabled: file.text === "",
            onClick: () => saveBlob(`redacted-${file.name.split("/").at(-1)}.txt`, "text/plain", file.text),
          },
          "Save the redacted copy",
        ),
      ),
    ),
  );
}

const reports: readonly (readonly [ReportForm, string, string])[] = [
  ["html", "Report as a page", "text/html"],
  ["json", "Report as JSON", "application/json"],
  ["text", "Report as text", "text/plain"],
];

function PostPart({ doctor, page }: { readonly doctor: Doctor; readonly page: LabPage }) {
  const report = async (form: ReportForm): Promise<string | null> => {
    try {
      return (await desk?.report(form)) ?? null;
    } catch (error) {
      page.link.say(wordsOf(error), true);
      return null;
    }
  };
  return h(
    "section",
    { class: "take-report" },
    h(
      "div",
      { class: "acts" },
      reports.map(([form, label, type]) =>
        h(
          "button",
          {
            type: "button",
            class: "act",
            key: form,
            onClick: async () => {
              const text = await report(form);
              if (text !== null) saveBlob(`drydock-diagnosis.${form === "text" ? "txt" : form}`, type, text);
            },
          },
          label,
        ),
      ),
      doctor.hasBoard
        ? h(
            "button",
            {
              type: "button",
              class: "act",
              disabled: !isRedacted.value,
              title: isRedacted.value ? "" : "Redact first: a post is read by everybody.",
              onClick: async () => {
                draft.value = (await report("markdown")) ?? "";
              },
            },
            "Attach to a post …",
          )
        : null,
    ),
    draft.value === ""
      ? null
      : h(
          "form",
          { method: "post", action: "/t/drivers/posts", class: "post-draft" },
          h(
            "p",
            { class: "soft" },
            "Nothing but what stands here is sent, and the board shows it to you before it is posted.",
          ),
          h("label", { for: "draft-title" }, "Title"),
          h("input", {
            id: "draft-title",
            name: "title",
            maxLength: 150,
            required: true,
            defaultValue: (view.value?.answers[0]?.claim ?? "What is wrong here?").slice(0, 150),
          }),
          h("label", { for: "draft-text" }, "Text"),
          h("textarea", {
            id: "draft-text",
            name: "markdown",
            rows: 12,
            required: true,
            defaultValue: draft.value,
          }),
          h("input", { type: "hidden", name: "tags", value: "" }),
          h("button", { name: "preview", value: "1", class: "act main" }, "Preview as a post"),
        ),
  );
}
