// Screens that come with a script of their own, when one of them is looked at for the first time.

import { signal } from "@preact/signals";
import { h } from "preact";
import { useEffect } from "preact/hooks";
import type { Screen } from "./address.ts";
import type { DrawScreen } from "./screen-door.ts";

const draw = signal<DrawScreen | null>(null);
const trouble = signal("");

export function LaterScreen({
  load,
  name,
}: {
  readonly load: () => Promise<DrawScreen>;
  readonly name: Screen;
}) {
  useEffect(() => {
    load().then(
      (loaded) => (draw.value = loaded),
      (error: Error) => (trouble.value = error.message),
    );
  }, []);
  return draw.value?.(name) ?? h("p", { class: "empty" }, trouble.value || "Loading …");
}
