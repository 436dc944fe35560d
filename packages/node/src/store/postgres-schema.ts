// The board's tables in PostgreSQL: the same steps as in SQLite, in its words, with its own index and counts.

import { sharedSteps } from "./board-schema.ts";
import { firstOfPostgres } from "./postgres-index.ts";
import { schemaInPostgresWords } from "./postgres-words.ts";

const moderationOfPostgres = `
CREATE FUNCTION drydock_log_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the log only grows';
END $$;
CREATE TRIGGER log_stays BEFORE UPDATE OR DELETE ON moderation_log FOR EACH ROW EXECUTE FUNCTION drydock_log_only_grows();
`;

/** What PostgreSQL says besides, by step. */
const postgresOnly: Readonly<Record<number, string>> = { 0: firstOfPostgres, 3: moderationOfPostgres };

/** Step n takes a database of version n to version n + 1. */
export const postgresSteps: readonly string[] = sharedSteps.map(
  (step, index) => schemaInPostgresWords(step) + (postgresOnly[index] ?? ""),
);
