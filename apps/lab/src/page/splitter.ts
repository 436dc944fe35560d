// The one line of a screen that can be moved: by mouse, touch and arrow keys; remembered, and reset by a double click.

import { h } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

const least = 15;
const most = 80;
const keyStep = 2;

/** Percent of the height of what holds it that the part above has, or with `isBelow` the part below. */
export function Splitter(props: {
  readonly name: string;
  readonly label: string;
  /** What it is about while nobody has moved it. */
  readonly usual: number;
  readonly isBelow?: boolean;
}) {
  const { isBelow = false, label, name, usual } = props;
  const element = useRef<HTMLDivElement>(null);
  const [percent, setPercent] = useState(() => remembered(name));
  useLayoutEffect(() => {
    const holder = element.current?.parentElement;
    if (percent === null) holder?.style.removeProperty("--split");
    else holder?.style.setProperty("--split", `${percent}%`);
    return () => holder?.style.removeProperty("--split");
  }, [percent]);
  const move = (to: number | null) => {
    const next = to === null ? null : Math.round(Math.max(least, Math.min(most, to)));
    remember(name, next);
    setPercent(next);
  };
  return h("div", {
    ref: element,
    class: "splitter",
    role: "separator",
    tabIndex: 0,
    "aria-orientation": "horizontal",
    "aria-label": label,
    "aria-valuemin": least,
    "aria-valuemax": most,
    "aria-valuenow": percent ?? usual,
    title: "Arrow keys move it, a double click puts it back",
    onDblClick: () => move(null),
    onKeyDown: (event: KeyboardEvent) => {
      if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
      event.preventDefault();
      const isMore = (event.key === "ArrowUp") === isBelow;
      move((percent ?? usual) + (isMore ? keyStep : -keyStep));
    },
    onPointerDown: (event: PointerEvent) => element.current?.setPointerCapture(event.pointerId),
    onPointerMove: (event: PointerEvent) => {
      const holder = element.current?.parentElement;
      if (holder == null || element.current?.hasPointerCapture(event.pointerId) !== true) return;
      const { bottom, height, top } = holder.getBoundingClientRect();
      move(((isBelow ? bottom - event.clientY : event.clientY - top) * 100) / height);
    },
  });
}

const keyOf = (name: string): string => `drydock-split-${name}`;

function remembered(name: string): number | null {
  try {
    const percent = Number(localStorage.getItem(keyOf(name)) ?? Number.NaN);
    return percent >= least && percent <= most ? percent : null;
  } catch {
    // A browser that keeps nothing: it stands where it usually does.
    return null;
  }
}

function remember(name: string, percent: number | null): void {
  try {
    if (percent === null) localStorage.removeItem(keyOf(name));
    else localStorage.setItem(keyOf(name), String(percent));
  } catch {
    // The same.
  }
}
