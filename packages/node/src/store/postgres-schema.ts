// The board's tables in PostgreSQL: the same steps as in SQLite, in its words, with its own index and counts.

import { sharedSteps } from "./board-schema.ts";
import { firstOfPostgres } from "./postgres-index.ts";
import { schemaInPostgresWords } from "./postgres-words.ts";

/** Step n takes a database of version n to version n + 1. */
export const postgresSteps: readonly string[] = sharedSteps.map(
  (step, index) => schemaInPostgresWords(step) + (index === 0 ? firstOfPostgres : ""),
);
