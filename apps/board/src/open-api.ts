// The routes as OpenAPI 3.1: made from the same table and the same schemas that the server uses.

import { doors } from "./door-schemas.ts";
import type { BoardRoute } from "./route.ts";

export function openApi(routes: readonly BoardRoute[], version: string): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    if (route.summary === null) continue;
    const names = [...route.path.matchAll(/:([a-z]+)/g)].map(([, name]) => name);
    const path = route.path.replace(/:([a-z]+)(?:\{[^}]*\})?/g, "{$1}");
    const text = { type: "string" };
    const problem = {
      description: "Refused, with a stable code",
      content: { "application/problem+json": { schema: { type: "object" } } },
    };
    paths[path] ??= {};
    paths[path][route.method.toLowerCase()] = {
      summary: route.summary,
      parameters: [
        ...names.map((name) => ({ name, in: "path", required: true, schema: text })),
        ...(route.query ?? []).map((name) => ({ name, in: "query", required: false, schema: text })),
      ],
      ...(route.door === undefined
        ? {}
        : {
            requestBody: {
              content: {
                "application/json": { schema: doors[route.door] },
                "application/x-www-form-urlencoded": { schema: doors[route.door] },
              },
            },
          }),
      responses: { "2XX": { description: "Done" }, "4XX": problem, "5XX": problem },
    };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Drydock board",
      version,
      description:
        "The same addresses for people and programs: ask with Accept: application/json, or add .json.",
    },
    paths,
  };
}
