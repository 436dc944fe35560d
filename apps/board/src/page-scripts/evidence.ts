// Evidence in a form, with script: redacted here, shown with each mark, and only redacted copies are sent.

import type { RedactedView } from "@drydock/lab/page/desk-messages";

const source =
  document.currentScript instanceof HTMLScriptElement ? document.currentScript.src : location.href;
const workerUrl = new URL("evidence-worker.js", source).href;
const factory = (
  globalThis as {
    trustedTypes?: {
      createPolicy(
        name: string,
        rules: { createScriptURL(url: string): string },
      ): { createScriptURL(url: string): string };
    };
  }
).trustedTypes;

interface DeskReply {
  readonly id: number;
  readonly value: unknown;
  readonly error: string;
}

/** A worker of the doctor's own, whose policy gives it nowhere to send anything to. */
class Desk {
  readonly #worker: Worker;
  #last = 0;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();

  constructor(url: string) {
    this.#worker = new Worker(url);
    this.#worker.onmessage = ({ data }: MessageEvent<DeskReply>) => {
      const waiting = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if (data.error === "") waiting?.resolve(data.value);
      else waiting?.reject(new Error(data.error));
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      for (const { reject } of this.#waiting.values()) reject(new Error("the doctor did not start"));
      this.#waiting.clear();
    };
  }

  ask(ask: object): Promise<unknown> {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, ask });
    });
  }
}

function line(tag: string, text: string, parent: Element): HTMLElement {
  const made = document.createElement(tag);
  made.textContent = text;
  parent.append(made);
  return made;
}

function showMarks(place: Element, files: RedactedView["files"]): void {
  place.replaceChildren();
  for (const { name, lines, more, notes, text } of files) {
    const box = document.createElement("details");
    box.open = lines.length > 0;
    const count = lines.length + more;
    line(
      "summary",
      text === ""
        ? `${name}: nothing of it is sent`
        : `${name}: ${count === 0 ? "nothing to replace was found" : `${count} lines with marks`}`,
      box,
    );
    for (const note of notes) line("p", note, box);
    if (lines.length > 0) {
      const pre = document.createElement("pre");
      pre.className = "marks";
      pre.tabIndex = 0;
      for (const { line: number, parts } of lines.slice(0, 60)) {
        line("span", String(number), pre).className = "at";
        pre.append(" ");
        for (const { text: part, isMark } of parts)
          if (isMark) line("mark", part, pre);
          else pre.append(part);
        pre.append("\n");
      }
      box.append(pre);
    }
    place.append(box);
  }
}

for (const box of document.querySelectorAll<HTMLElement>("[data-evidence]")) {
  const input = box.querySelector<HTMLInputElement>('input[type="file"]');
  const told = box.querySelector<HTMLElement>("[data-evidence-text]");
  const marks = box.querySelector<HTMLElement>("[data-evidence-marks]");
  const form = input?.form ?? null;
  if (input === null || told === null || marks === null || form === null) continue;
  const policy = factory?.createPolicy("drydock-evidence", { createScriptURL: () => workerUrl });
  const desk = new Desk(policy?.createScriptURL(workerUrl) ?? workerUrl);
  /** False: nothing may be sent yet. */
  let isReady = true;
  const take = async (files: readonly File[]): Promise<void> => {
    isReady = false;
    marks.replaceChildren();
    told.textContent = "The doctor reads and redacts, in this page …";
    // What is not redacted is never in the form.
    input.value = "";
    try {
      const read = await Promise.all(
        files.map(async (file) => ({ name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) })),
      );
      await desk.ask({ kind: "files", files: read, wasm: null });
      const view = (await desk.ask({ kind: "redact" })) as RedactedView;
      const kept = new DataTransfer();
      for (const { name, text } of view.files)
        if (text !== "") kept.items.add(new File([text], name, { type: "text/plain" }));
      input.files = kept.files;
      showMarks(marks, view.files);
      told.textContent = `Redacted in this page: ${view.secrets === 1 ? "one secret" : `${view.secrets} secrets`} replaced. Only these copies are sent; the board shows them to you once more before they are posted.`;
    } catch (error) {
      told.textContent = `Nothing was taken: ${error instanceof Error ? error.message : String(error)}.`;
    } finally {
      isReady = true;
    }
  };
  input.addEventListener("change", () => {
    const files = [...(input.files ?? [])];
    if (files.length > 0) void take(files);
  });
  box.addEventListener("dragover", (event) => {
    event.preventDefault();
    box.classList.add("over");
  });
  box.addEventListener("dragleave", () => box.classList.remove("over"));
  box.addEventListener("drop", (event) => {
    event.preventDefault();
    box.classList.remove("over");
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length > 0) void take(files);
  });
  form.addEventListener("submit", (event) => {
    if (isReady) return;
    event.preventDefault();
    told.textContent = "Still reading: send the form again in a moment.";
  });
}
