// The lab's page: a shell for its script. Its rigs run in the reader's own page; the one of this server can be watched.

import { notFound } from "@drydock/board/refusal";
import { readFields } from "./doors.ts";
import { labSocketPath } from "./lab-desk.ts";
import { labPage, listedRigs } from "./lab-page.ts";
import type { BoardRoute } from "./route.ts";

export const labRoutes: readonly BoardRoute[] = [
  {
    method: "GET",
    path: "/lab/rigs",
    summary: "The rigs that the lab can open: those of the catalogue, and those that run on this server",
    handle: (c, site) => c.json(listedRigs(site.desk.rigs)),
  },
  {
    method: "GET",
    path: "/lab",
    summary: null,
    handle: (c, site) => {
      // The one page that may ask its visitor for a USB device.
      c.header(
        "Permissions-Policy",
        "camera=(), microphone=(), geolocation=(), usb=(self), serial=(), hid=()",
      );
      return c.html(labPage(site.isStatic ? "../" : null));
    },
  },
  {
    method: "POST",
    path: "/lab/token",
    summary:
      "A token for one connection to a rig of this server, as the second protocol of a WebSocket at the path that comes with it and the rig's name",
    door: "nothing",
    handle: async (c, site) => {
      await readFields(c, "nothing");
      const token = site.desk.newToken();
      if (token === null) throw notFound("rig on this server");
      return c.json({ token, path: labSocketPath });
    },
  },
];
