// Where files are dropped, pasted or chosen. They stay in the page.

import { h } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { LabPage } from "./lab-page.ts";

/** A file that is larger is no evidence that a page can hold. Bytes. */
const mostBytes = 256 << 20;

/** Rejects with words for people. */
export async function bytesOf(file: File): Promise<Uint8Array> {
  if (file.size > mostBytes)
    throw new RangeError(
      `${file.name} has ${file.size >> 20} MiB, which is more than a page can hold: drydock diagnose reads it.`,
    );
  return new Uint8Array(await file.arrayBuffer());
}

export function DropPlace(props: {
  readonly page: LabPage;
  readonly label: string;
  readonly multiple: boolean;
  readonly onFiles: (files: readonly File[]) => void;
}) {
  const { label, multiple, onFiles } = props;
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    // The whole page takes a file: one that misses would be opened by the browser instead.
    const over = (event: DragEvent) => {
      if (event.dataTransfer?.types.includes("Files") === true) event.preventDefault();
    };
    const drop = (event: DragEvent) => {
      const files = [...(event.dataTransfer?.files ?? [])];
      if (files.length === 0) return;
      event.preventDefault();
      onFiles(files);
    };
    const paste = (event: ClipboardEvent) => {
      const { target } = event;
      if (target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement) return;
      const files = [...(event.clipboardData?.files ?? [])];
      const text = event.clipboardData?.getData("text/plain") ?? "";
      if (files.length === 0 && text === "") return;
      event.preventDefault();
      onFiles(files.length > 0 ? files : [new File([text], "pasted.txt")]);
    };
    document.addEventListener("dragover", over);
    document.addEventListener("drop", drop);
    document.addEventListener("paste", paste);
    return () => {
      document.removeEventListener("dragover", over);
      document.removeEventListener("drop", drop);
      document.removeEventListener("paste", paste);
    };
  }, []);
  return h(
    "div",
    { class: "drop" },
    h("span", { class: "soft" }, label),
    h("input", {
      type: "file",
      hidden: true,
      multiple,
      ref: input,
      "aria-label": "Files",
      onChange: (event: Event) => {
        const field = event.target as HTMLInputElement;
        const files = [...(field.files ?? [])];
        field.value = "";
        if (files.length > 0) onFiles(files);
      },
    }),
    h("button", { type: "button", class: "act", onClick: () => input.current?.click() }, "Choose files …"),
    h("span", { class: "soft" }, "They stay in this page."),
  );
}
