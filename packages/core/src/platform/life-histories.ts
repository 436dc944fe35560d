// Histories of driver extensions that people live through, played on the state machine: what is done, shown and left.

import {
  ExtensionLife,
  formatExtensionList,
  type LifeExtension,
  type LifeLine,
  type LifeMark,
  type LifeRow,
  type LifeSystem,
} from "./extension-life.ts";
import { formatLogRow } from "./log-text.ts";

export const historyNames = [
  "fresh",
  "approval-pending",
  "replaced-never-opened",
  "replaced-while-open",
  "downgraded",
  "replacement-declined",
  "same-version-twice",
  "two-apps-one-driver",
  "uninstalled-then-restarted",
  "ipad-switch",
  "profile-lacks-key",
  "managed-allowed",
  "managed-forbidden",
  "crash-loop",
  "not-in-applications",
  "request-superseded",
] as const;
export type HistoryName = (typeof historyNames)[number];

export interface LifeStep {
  readonly act: string;
  readonly lines: readonly LifeLine[];
  /** What the list shows after it. */
  readonly rows: readonly LifeRow[];
}

export interface LifeHistory {
  readonly name: HistoryName;
  /** One line without a full stop. */
  readonly summary: string;
  /** What to do about it, and what it ends with. */
  readonly ending: string;
  readonly mark: LifeMark;
  readonly system: LifeSystem;
  readonly play: (life: ExtensionLife, step: (act: string, lines: readonly LifeLine[]) => void) => void;
}

const id = "org.example.driver";
const app = "Example";
const driver = (version: string): LifeExtension => ({
  identifier: id,
  team: "ABCDE12345",
  name: "Example driver",
  version,
});
const macos: LifeSystem = { kind: "macos", policy: null };

/** Up to the point from which most go on. */
function installed(life: ExtensionLife, step: (act: string, lines: readonly LifeLine[]) => void): void {
  step("the app asks for activation of 1.0/1", life.activate(app, driver("1.0/1")));
  step("the user allows it", life.approve(app, id));
}

export const lifeHistories: readonly LifeHistory[] = [
  {
    name: "fresh",
    summary: "activated for the first time, and allowed by the user",
    ending: "one version is there, activated and enabled",
    mark: "established",
    system: macos,
    play: installed,
  },
  {
    name: "approval-pending",
    summary: "activated, and nobody has allowed it",
    ending: "it waits for the user in System Settings, Login Items & Extensions; until then it never matches",
    mark: "established",
    system: macos,
    play: (life, step) => step("the app asks for activation", life.activate(app, driver("1.0/1"))),
  },
  {
    name: "replaced-never-opened",
    summary: "a higher version replaces one that nobody has open",
    ending: "the new version alone is there; no restart is needed",
    mark: "likely",
    system: macos,
    play: (life, step) => {
      installed(life, step);
      step("the app asks for activation of 1.1/2", life.activate(app, driver("1.1/2")));
    },
  },
  {
    name: "replaced-while-open",
    summary: "a higher version replaces one that a program has open",
    ending: "two versions are there until a restart: the old one may still serve calls and logs",
    mark: "likely",
    system: macos,
    play: (life, step) => {
      installed(life, step);
      step("a program opens the driver", life.setOpen(id, true));
      step("the app asks for activation of 1.1/2", life.activate(app, driver("1.1/2")));
    },
  },
  {
    name: "downgraded",
    summary: "a lower version replaces a higher one, as the app's delegate allows",
    ending: "the lower version alone is there; whether it replaces is the delegate's answer",
    mark: "likely",
    system: macos,
    play: (life, step) => {
      step("the app asks for activation of 2.0/9", life.activate(app, driver("2.0/9")));
      step("the user allows it", life.approve(app, id));
      step("an older app asks for activation of 1.0/1", life.activate(app, driver("1.0/1")));
    },
  },
  {
    name: "replacement-declined",
    summary: "the app's delegate answers that the old version shall stay",
    ending: "the request ends with error 11; the old version goes on",
    mark: "established",
    system: macos,
    play: (life, step) => {
      installed(life, step);
      step(
        "the app asks for activation of 1.1/2, its delegate cancels",
        life.activate(app, driver("1.1/2"), { replaces: false }),
      );
    },
  },
  {
    name: "same-version-twice",
    summary: "the version that is there and open is activated again, and the delegate says replace",
    ending:
      "the row is stuck in terminating, the request ends with error 4: raise CFBundleVersion with each build, restart the Mac",
    mark: "established",
    system: macos,
    play: (life, step) => {
      installed(life, step);
      step("a program opens the driver", life.setOpen(id, true));
      step("the app asks for activation of 1.0/1 again", life.activate(app, driver("1.0/1")));
    },
  },
  {
    name: "two-apps-one-driver",
    summary: "two apps bring the same driver",
    ending:
      "one version is there, the one that was activated last; what becomes of it when one app is deleted is unknown",
    mark: "likely",
    system: macos,
    play: (life, step) => {
      installed(life, step);
      step("another app asks for activation of 1.1/2", life.activate("Example Pro", driver("1.1/2")));
    },
  },
  {
    name: "uninstalled-then-restarted",
    summary: "deactivated; it stays in the list until a restart",
    ending: "it is gone after the restart",
    mark: "established",
    system: macos,
    play: (life, step) => {
      installed(life, step);
      step("the app asks for deactivation", life.deactivate(app, id));
      step("the Mac restarts", life.restart());
    },
  },
  {
    name: "ipad-switch",
    summary: "on an iPad the driver is off until the user switches it on in Settings",
    ending:
      "the app finds no service before the switch, and one after; what the log says of the switch is unknown",
    mark: "established",
    system: { kind: "ipados", policy: null },
    play: (life, step) => {
      step("the app is installed; there is no request and no list", life.activate(app, driver("1.0/1")));
      step("the app looks for the driver", life.lookFor(app, id));
      step("the user switches the driver on in Settings", life.switchOn(id));
      step("the app looks again", life.lookFor(app, id));
    },
  },
  {
    name: "profile-lacks-key",
    summary: "a TestFlight or distribution profile lacks a key that the driver claims",
    ending: "it is activated, and killed at each launch: give the profile the key, or take the claim away",
    mark: "established",
    system: macos,
    play: (life, step) => {
      installed(life, step);
      step(
        "the device is plugged in, the kernel launches the driver",
        life.refuseLaunch(id, ["com.apple.developer.driverkit.transport.usb"]),
      );
    },
  },
  {
    name: "managed-allowed",
    summary: "a configuration profile allows the team's extensions",
    ending: "activated and enabled without a question to the user",
    mark: "established",
    system: { kind: "macos", policy: "allows" },
    play: (life, step) => step("the app asks for activation", life.activate(app, driver("1.0/1"))),
  },
  {
    name: "managed-forbidden",
    summary: "a configuration profile forbids it",
    ending: "the request ends with error 10; only the administrator can change that",
    mark: "established",
    system: { kind: "macos", policy: "forbids" },
    play: (life, step) => step("the app asks for activation", life.activate(app, driver("1.0/1"))),
  },
  {
    name: "crash-loop",
    summary: "the driver crashes, is launched again, and crashes again",
    ending: "the kernel counts, and launches it again; it stays activated",
    mark: "established",
    system: macos,
    play: (life, step) => {
      installed(life, step);
      step("the device is plugged in", life.launch(id));
      step("it crashes", life.crash(id));
      step("it crashes again", life.crash(id));
      step("and again", life.crash(id));
    },
  },
  {
    name: "not-in-applications",
    summary: "the app asks from another folder than /Applications",
    ending: "the request ends with error 3; move the app",
    mark: "established",
    system: macos,
    play: (life, step) =>
      step("the app asks from Downloads", life.activate(app, driver("1.0/1"), { isInApplications: false })),
  },
  {
    name: "request-superseded",
    summary: "a second request comes before the first is over",
    ending: "the first ends with error 12, the second goes on",
    mark: "established",
    system: { kind: "macos", policy: "allows" },
    play: (life, step) => step("the app asks twice", life.supersede(app, driver("1.0/1"))),
  },
];

export function playHistory({ play, system }: LifeHistory): readonly LifeStep[] {
  const life = new ExtensionLife(system);
  const steps: LifeStep[] = [];
  play(life, (act, lines) => steps.push({ act, lines, rows: life.rows }));
  return steps;
}

const stepNs = 60e9;
const lineNs = 1e6;
const firstPid = 400;

/** The log as `log show` prints it, and the list after each act that changed it: what somebody would hand in. */
export function evidenceOfHistory(history: LifeHistory): { readonly log: string; readonly list: string } {
  const pids = new Map<string, number>();
  const lists: string[] = [];
  const lines = playHistory(history).flatMap(({ lines: own, rows }, index) => {
    const list = formatExtensionList(rows);
    if (history.system.kind === "macos" && lists.at(-1) !== list) lists.push(list);
    return own.map(({ process, text }, at) => {
      const pid = process === "kernel" ? 0 : (pids.get(process) ?? firstPid + pids.size);
      if (process !== "kernel") pids.set(process, pid);
      return formatLogRow({
        timeNs: index * stepNs + at * lineNs,
        level: "default",
        process,
        pid,
        sender: "",
        subsystem: "",
        category: "",
        message: text,
      });
    });
  });
  return { log: `${lines.join("\n")}\n`, list: lists.join("\n") };
}
