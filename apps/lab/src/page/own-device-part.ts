// A device of the visitor's own: asked for here, where a click is, and then driven by our drivers in a worker.

import { h } from "preact";
import { useState } from "preact/hooks";
import { deviceName } from "../session/opened-names.ts";
import type { LabPage } from "./lab-page.ts";

interface PageUsb {
  requestDevice(options: {
    readonly filters: readonly object[];
  }): Promise<{ readonly productName?: string | null }>;
}

export function OwnDevicePart({ page }: { readonly page: LabPage }) {
  const [words, say] = useState("");
  const { usb } = navigator as { readonly usb?: PageUsb };
  const state = page.link.state.value;
  const isOpen = state?.opening.what === deviceName;
  const ask = async (): Promise<void> => {
    try {
      const device = await usb?.requestDevice({ filters: [] });
      say(`${device?.productName ?? "A device"} is let in.`);
      const to = `#/consoles/${deviceName}?seed=1`;
      // It is there already: the worker hears of devices when it begins.
      if (isOpen) page.link.open({ what: deviceName, side: "bad", seed: 1, faults: [], isRunning: true });
      else location.hash = to;
    } catch (error) {
      const { message, name } = error instanceof Error ? error : new Error(String(error));
      say(
        name === "NotFoundError" ? "No device was chosen." : `This page cannot ask for a device: ${message}`,
      );
    }
  };
  return h(
    "section",
    { class: "own-device", "aria-label": "A device of yours" },
    h("h2", null, "A device of yours"),
    usb === undefined
      ? h(
          "p",
          { class: "soft" },
          "This browser has no WebUSB here (Chromium has, over https and on localhost). In a terminal: ",
          h("code", null, "npx drydock import usbip SERVER BUSID"),
        )
      : h(
          "p",
          null,
          h("button", { type: "button", class: "act", onClick: () => void ask() }, "Choose a USB device …"),
          h(
            "span",
            { class: "soft" },
            " It is driven by Drydock's drivers in this page; the system must not have taken it. Nothing is written to disks.",
          ),
        ),
    isOpen ? state.failures.map((line) => h("p", { class: "trouble", key: line }, line)) : null,
    h("p", { class: "soft own-says", role: "status" }, words),
  );
}
