// Preact and signals of the page, for scripts that come later: one copy, so that what one draws the other sees change.

import type { effect as effectOf, signal as signalOf } from "@preact/signals";
import type { h as hOf } from "preact";
import type { useEffect as effectHook, useRef as refHook, useState as stateHook } from "preact/hooks";

export interface SharedPreact {
  readonly effect: typeof effectOf;
  readonly h: typeof hOf;
  readonly signal: typeof signalOf;
  readonly useEffect: typeof effectHook;
  readonly useRef: typeof refHook;
  readonly useState: typeof stateHook;
}

/** The builder puts this file in the place of the libraries; the page's first script has left its own here. */
export const { effect, h, signal, useEffect, useRef, useState } = (
  globalThis as unknown as { readonly drydockShared: SharedPreact }
).drydockShared;
