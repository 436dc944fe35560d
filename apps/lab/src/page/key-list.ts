// The list of keys: those of the page, and of every act that has one.

import { h } from "preact";
import { acts } from "../session/acts.ts";

const pageKeys: readonly { readonly keys: string; readonly sentence: string }[] = [
  { keys: "g r", sentence: "To the rig." },
  { keys: "g t", sentence: "To the trace." },
  { keys: "g g", sentence: "To the registry." },
  { keys: "g i", sentence: "To time as lanes." },
  { keys: "g c", sentence: "To the consoles." },
  { keys: "g k", sentence: "To the cases." },
  { keys: "g d", sentence: "To the doctor." },
  { keys: "g b", sentence: "To the board." },
  { keys: "Space", sentence: "Time goes on, or stands still." },
  { keys: "/", sentence: "To the filter." },
  { keys: "e", sentence: "From the chosen row to its cause." },
  { keys: "E", sentence: "From the chosen row to the first that it led to." },
  {
    keys: "n N",
    sentence: "To the next hit of the filter, or to the one before; of two runs, to where they differ.",
  },
  { keys: "[ ]", sentence: "Slower, faster." },
  { keys: "y", sentence: "Copies the link." },
  { keys: "Shift+↑ ↓", sentence: "Marks more rows of the trace." },
  { keys: "Ctrl+C", sentence: "Copies the marked rows; with Shift as tshark prints them." },
  { keys: "Esc", sentence: "Gives up what is under way; closes what is selected." },
  { keys: "Ctrl+K", sentence: "All acts." },
  { keys: "?", sentence: "This list." },
];

export function KeyList() {
  return h(
    "table",
    { class: "keys" },
    h("caption", null, "Keys"),
    h(
      "tbody",
      null,
      [
        ...pageKeys,
        ...acts.filter(({ key }) => key !== "").map(({ key, sentence }) => ({ keys: key, sentence })),
      ].map(({ keys, sentence }) =>
        h("tr", null, h("th", { scope: "row" }, h("kbd", null, keys)), h("td", null, sentence)),
      ),
    ),
  );
}
