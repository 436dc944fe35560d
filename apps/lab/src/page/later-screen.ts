// Screens that come with a script of their own, when one of them is looked at for the first time.

import { signal } from "@preact/signals";
import { type ComponentChild, h } from "preact";
import { useEffect } from "preact/hooks";
import type { Screen } from "./address.ts";

/** Of a screen, or of a part that is seldom asked for. */
export type DrawScreen = (what: Screen | "keys" | "parting") => ComponentChild;

const draw = signal<DrawScreen | null>(null);
const trouble = signal("");

export function LaterScreen({
  load,
  name,
}: {
  readonly load: () => Promise<DrawScreen>;
  readonly name: Parameters<DrawScreen>[0];
}) {
  useEffect(() => {
    load().then(
      (loaded) => (draw.value = loaded),
      (error: Error) => (trouble.value = error.message),
    );
  }, []);
  return draw.value?.(name) ?? h("p", { class: "empty" }, trouble.value || "Loading …");
}
