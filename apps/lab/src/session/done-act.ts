// What people do to a rig by hand: done again, at its step and moment, when it runs again.

/** Acts that touch a rig: done again when it runs again. */
export type HandAct =
  | "unplug"
  | "plug"
  | "power-cut"
  | "open-console"
  | "type"
  | "break"
  | "modem-lines"
  | "write"
  | "flush"
  | "read-back"
  | "press"
  | "send-frames"
  | "sleep"
  | "wake";

/** What people did to a rig by hand, and when: the same again makes the same run. */
export interface DoneAct {
  readonly steps: number;
  readonly timeNs: number;
  readonly name: HandAct;
  readonly value: string;
}
