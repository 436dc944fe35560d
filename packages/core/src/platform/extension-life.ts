// The life of a driver extension as the system keeps it: requests, approval, replacement, restart, each with its lines.

import { launchRefusalLines } from "./access.ts";

/** How well a line or a state is known: "established" was seen or is documented, "likely" reports agree, "unknown" nobody says. */
export type LifeMark = "established" | "likely" | "unknown";

/** A row of `systemextensionsctl list` (posts.md §4.6). */
export interface LifeRow {
  readonly identifier: string;
  readonly team: string;
  /** "1.0/1": short version and build. */
  readonly version: string;
  readonly name: string;
  readonly state: string;
  readonly mark: LifeMark;
}

/** A line of the log, and who wrote it. */
export interface LifeLine {
  readonly process: string;
  readonly text: string;
  readonly mark: LifeMark;
}

export interface LifeSystem {
  /** macOS has requests and a list; iPadOS has a switch in Settings and neither. */
  readonly kind: "macos" | "ipados";
  /** A configuration profile that decides about system extensions; null: the user does. */
  readonly policy: "allows" | "forbids" | null;
}

export interface LifeExtension {
  readonly identifier: string;
  readonly team: string;
  readonly name: string;
  readonly version: string;
}

interface Installed extends LifeExtension {
  state: string;
  mark: LifeMark;
  isOpen: boolean;
}

const enabled = "activated enabled";
const waiting = "activated waiting for user";
const onReboot = "terminated waiting to uninstall on reboot";
/** Of two projects that activated one version twice (doctor-field.md). */
const viaDelegate = "terminating for upgrade via delegate";

/** Numbers of OSSystemExtensionErrorDomain that a request ends with. */
const errors = { parentFolder: 3, notFound: 4, policy: 10, cancelled: 11, superseded: 12 } as const;

/**
 * One system. Every act answers the lines that it leaves; `rows` is what the list shows then. The delegate's methods are
 * Apple's documented ones, written as an app does that logs what it is told.
 */
export class ExtensionLife {
  readonly #system: LifeSystem;
  readonly #installed: Installed[] = [];
  readonly #approved = new Set<string>();
  readonly #crashes = new Map<string, number>();
  readonly #switchedOn = new Set<string>();

  constructor(system: LifeSystem) {
    this.#system = system;
  }

  get rows(): readonly LifeRow[] {
    return this.#system.kind === "ipados"
      ? []
      : this.#installed.map(({ identifier, mark, name, state, team, version }) => ({
          identifier,
          team,
          version,
          name,
          state,
          mark,
        }));
  }

  /** An OSSystemExtensionRequest of `app` for activation. `replaces`: what its delegate answers about another version. */
  activate(
    app: string,
    extension: LifeExtension,
    { replaces = true, isInApplications = true }: { replaces?: boolean; isInApplications?: boolean } = {},
  ): LifeLine[] {
    const { identifier, version } = extension;
    if (this.#system.kind === "ipados") return [];
    if (!isInApplications) return [failed(app, identifier, errors.parentFolder)];
    const lines = [sysextd(`attempting to realize extension with identifier ${identifier}`, "established")];
    if (this.#system.policy === "forbids") return [...lines, failed(app, identifier, errors.policy)];
    const old = this.#installed.find((each) => each.identifier === identifier && !isLeaving(each));
    if (old !== undefined) {
      lines.push(
        delegate(
          app,
          `request(_:actionForExtension:withExtension:) ${identifier} ${old.version} -> ${version}`,
        ),
      );
      if (!replaces) return [...lines, failed(app, identifier, errors.cancelled)];
      if (old.version === version && old.isOpen) {
        old.state = viaDelegate;
        old.mark = "established";
        return [...lines, failed(app, identifier, errors.notFound)];
      }
    }
    lines.push(
      sysextd(`staging extension with identifier ${identifier}`, "likely"),
      sysextd(`Making activation decision for extension with identifier ${identifier}`, "likely"),
    );
    if (old?.isOpen === true) {
      old.state = onReboot;
      old.mark = "likely";
    } else if (old !== undefined) this.#installed.splice(this.#installed.indexOf(old), 1);
    const isAllowed = this.#system.policy === "allows" || this.#approved.has(identifier);
    this.#installed.push({
      ...extension,
      state: isAllowed ? enabled : waiting,
      mark: "established",
      isOpen: false,
    });
    if (!isAllowed) return [...lines, delegate(app, `requestNeedsUserApproval(_:) ${identifier}`)];
    return [
      ...lines,
      finished(app, identifier, old?.isOpen === true ? "willCompleteAfterReboot" : "completed"),
    ];
  }

  /** A second request for the same extension while the first is under way. */
  supersede(app: string, extension: LifeExtension): LifeLine[] {
    return [failed(app, extension.identifier, errors.superseded), ...this.activate(app, extension)];
  }

  /** The user allows it in System Settings. */
  approve(app: string, identifier: string): LifeLine[] {
    this.#approved.add(identifier);
    const row = this.#installed.find((each) => each.identifier === identifier && each.state === waiting);
    if (row === undefined) return [];
    row.state = enabled;
    row.mark = "established";
    return [finished(app, identifier, "completed")];
  }

  /** A program opens the driver, or closes it; a version that was only held by that goes then. */
  setOpen(identifier: string, isOpen: boolean): LifeLine[] {
    for (const each of this.#installed)
      if (each.identifier === identifier && !isLeaving(each)) each.isOpen = isOpen;
    return [];
  }

  deactivate(app: string, identifier: string): LifeLine[] {
    const row = this.#installed.find((each) => each.identifier === identifier && !isLeaving(each));
    if (row === undefined) return [failed(app, identifier, errors.notFound)];
    row.state = onReboot;
    row.mark = "established";
    return [finished(app, identifier, "willCompleteAfterReboot")];
  }

  /** What waited for it goes. */
  restart(): LifeLine[] {
    for (const each of [...this.#installed]) {
      each.isOpen = false;
      if (isLeaving(each)) this.#installed.splice(this.#installed.indexOf(each), 1);
    }
    this.#crashes.clear();
    return [];
  }

  /** The kernel launches it: the count of crashes since the start stands in the line, from 0 on (xnu-11417). */
  launch(identifier: string): LifeLine[] {
    const count = this.#crashes.get(identifier) ?? 0;
    return [
      { process: "kernel", text: `Driver ${identifier} has crashed ${count} time(s)`, mark: "established" },
    ];
  }

  crash(identifier: string): LifeLine[] {
    this.#crashes.set(identifier, (this.#crashes.get(identifier) ?? 0) + 1);
    return this.launch(identifier);
  }

  /** AMFI refuses its process: the profile lacks a key that was claimed (posts.md T3). */
  refuseLaunch(identifier: string, keys: readonly string[]): LifeLine[] {
    return launchRefusalLines(identifier, keys).map((line) => {
      const at = line.indexOf(": ");
      return { process: line.slice(0, at), text: line.slice(at + 2), mark: "established" };
    });
  }

  /** iPadOS: the switch in Settings. What the log says of it is unknown. */
  switchOn(identifier: string): LifeLine[] {
    this.#switchedOn.add(identifier);
    return [];
  }

  /** iPadOS: an app looks for the driver's service. */
  lookFor(app: string, identifier: string): LifeLine[] {
    const found = this.#switchedOn.has(identifier);
    return [
      {
        process: app,
        text: `iPadOS: IOServiceGetMatchingService for ${identifier}: ${found ? "found" : "no service"}`,
        mark: "unknown",
      },
      ...(found ? this.launch(identifier) : []),
    ];
  }
}

function isLeaving({ state }: Installed): boolean {
  return state === onReboot || state === viaDelegate;
}

function sysextd(text: string, mark: LifeMark): LifeLine {
  return { process: "sysextd", text, mark };
}

function delegate(app: string, text: string): LifeLine {
  return { process: app, text, mark: "established" };
}

function finished(
  app: string,
  identifier: string,
  result: "completed" | "willCompleteAfterReboot",
): LifeLine {
  return delegate(app, `request(_:didFinishWithResult:) ${identifier} ${result}`);
}

function failed(app: string, identifier: string, code: number): LifeLine {
  return delegate(app, `request(_:didFailWithError:) ${identifier} OSSystemExtensionErrorDomain ${code}`);
}

/** `systemextensionsctl list` (posts.md §4.6): the two stars are "enabled" and "active". */
export function formatExtensionList(rows: readonly LifeRow[]): string {
  const lines = rows.map(({ identifier, name, state, team, version }) => {
    const star = state === enabled ? "*" : "";
    return `${star}\t${star}\t${team}\t${identifier} (${version})\t${name}\t[${state}]`;
  });
  const head = `${rows.length} extension(s)\n`;
  if (rows.length === 0) return head;
  return `${head}--- com.apple.system_extension.driver_extension\nenabled\tactive\tteamID\tbundleID (version)\tname\t[state]\n${lines.join("\n")}\n`;
}
