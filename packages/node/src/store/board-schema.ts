// The board's tables, as steps: a database of an earlier version is taken up step by step.

/**
 * STRICT tables, integer ids, times in milliseconds UTC. `listed` is 1 for a post that stands in the ordinary lists
 * (not pinned, hidden or deleted), so that each order of a list is one index without a filter.
 */
const first = `
CREATE TABLE person (
  id INTEGER PRIMARY KEY,
  handle TEXT NOT NULL UNIQUE COLLATE NOCASE,
  shown_name TEXT NOT NULL,
  role TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'active',
  created_at INTEGER NOT NULL,
  trusted_at INTEGER
) STRICT;
CREATE TABLE topic (
  id INTEGER PRIMARY KEY,
  parent_id INTEGER REFERENCES topic(id),
  slug TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  documentation_url TEXT NOT NULL,
  documentation_name TEXT NOT NULL,
  position INTEGER NOT NULL,
  posts INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX topic_place ON topic(parent_id, position);
CREATE TABLE body (
  id INTEGER PRIMARY KEY,
  markdown TEXT NOT NULL,
  plain TEXT NOT NULL
) STRICT;
CREATE TABLE post (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  topic_id INTEGER NOT NULL REFERENCES topic(id),
  author_id INTEGER NOT NULL REFERENCES person(id),
  kind TEXT NOT NULL,
  title TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'open',
  duplicate_of INTEGER REFERENCES post(id),
  accepted_reply_id INTEGER,
  case_id TEXT,
  pinned INTEGER NOT NULL DEFAULT 0,
  listed INTEGER NOT NULL DEFAULT 1,
  created_at INTEGER NOT NULL,
  activity_at INTEGER NOT NULL,
  replies INTEGER NOT NULL DEFAULT 0,
  boosts INTEGER NOT NULL DEFAULT 0,
  views INTEGER NOT NULL DEFAULT 0,
  source TEXT NOT NULL,
  folder TEXT NOT NULL UNIQUE,
  body_id INTEGER NOT NULL REFERENCES body(id),
  version INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE INDEX post_activity ON post(topic_id, listed, activity_at, id);
CREATE INDEX post_created ON post(topic_id, listed, created_at, id);
CREATE INDEX post_replies ON post(topic_id, listed, replies, id);
CREATE INDEX post_boosts ON post(topic_id, listed, boosts, id);
CREATE INDEX post_views ON post(topic_id, listed, views, id);
CREATE INDEX post_unanswered ON post(topic_id, listed, activity_at, id) WHERE replies = 0;
CREATE INDEX post_pinned ON post(topic_id, id) WHERE pinned = 1;
CREATE INDEX post_author ON post(author_id);
CREATE INDEX post_duplicate ON post(duplicate_of) WHERE duplicate_of IS NOT NULL;
CREATE INDEX post_case ON post(case_id, id) WHERE case_id IS NOT NULL;
CREATE TABLE origin (
  post_id INTEGER PRIMARY KEY REFERENCES post(id),
  position INTEGER NOT NULL,
  title TEXT NOT NULL,
  replies INTEGER NOT NULL,
  boosts INTEGER NOT NULL,
  views INTEGER NOT NULL,
  activity TEXT NOT NULL
) STRICT;
CREATE TABLE reply (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  post_id INTEGER NOT NULL REFERENCES post(id),
  parent_id INTEGER REFERENCES reply(id),
  author_id INTEGER NOT NULL REFERENCES person(id),
  kind TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'shown',
  created_at INTEGER NOT NULL,
  source TEXT NOT NULL,
  file TEXT NOT NULL,
  body_id INTEGER NOT NULL REFERENCES body(id),
  version INTEGER NOT NULL DEFAULT 1,
  UNIQUE (post_id, file)
) STRICT;
CREATE INDEX reply_post ON reply(post_id, id);
CREATE INDEX reply_author ON reply(author_id);
CREATE INDEX reply_parent ON reply(parent_id) WHERE parent_id IS NOT NULL;
CREATE TABLE revision (
  id INTEGER PRIMARY KEY,
  of_kind TEXT NOT NULL,
  of_id INTEGER NOT NULL,
  version INTEGER NOT NULL,
  title TEXT,
  body_id INTEGER NOT NULL REFERENCES body(id),
  editor_id INTEGER NOT NULL REFERENCES person(id),
  at INTEGER NOT NULL,
  UNIQUE (of_kind, of_id, version)
) STRICT;
CREATE TABLE post_tag (
  tag TEXT NOT NULL,
  post_id INTEGER NOT NULL REFERENCES post(id),
  PRIMARY KEY (tag, post_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX post_tag_post ON post_tag(post_id, tag);
CREATE TABLE tag (
  slug TEXT PRIMARY KEY,
  posts INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tag_posts ON tag(posts, slug);
CREATE TABLE boost (
  post_id INTEGER NOT NULL REFERENCES post(id),
  person_id INTEGER NOT NULL REFERENCES person(id),
  at INTEGER NOT NULL,
  os TEXT NOT NULL,
  hardware TEXT NOT NULL,
  PRIMARY KEY (post_id, person_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX boost_person ON boost(person_id);
CREATE INDEX boost_os ON boost(os, post_id) WHERE os <> '';
CREATE TABLE view_seen (
  day INTEGER NOT NULL,
  post_id INTEGER NOT NULL,
  viewer BLOB NOT NULL,
  PRIMARY KEY (day, post_id, viewer)
) STRICT, WITHOUT ROWID;
CREATE TABLE key_of_day (
  day INTEGER PRIMARY KEY,
  key BLOB NOT NULL
) STRICT;
CREATE TABLE rate (
  name TEXT NOT NULL,
  "window" INTEGER NOT NULL,
  used INTEGER NOT NULL,
  PRIMARY KEY ("window", name)
) STRICT, WITHOUT ROWID;
CREATE TABLE act (
  key TEXT PRIMARY KEY,
  done_id INTEGER NOT NULL,
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX act_at ON act(at);
CREATE TABLE symptom (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  UNIQUE (kind, value)
) STRICT;
CREATE TABLE post_symptom (
  symptom_id INTEGER NOT NULL REFERENCES symptom(id),
  post_id INTEGER NOT NULL REFERENCES post(id),
  reply_id INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (symptom_id, post_id, reply_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX post_symptom_post ON post_symptom(post_id, reply_id);
CREATE TABLE imported (
  path TEXT PRIMARY KEY,
  hash TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE setting (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`;

/** What only SQLite says this way: a topic's count, and the index of words without copies of the texts. */
const firstOfSqlite = `
CREATE TRIGGER post_comes AFTER INSERT ON post WHEN NEW.listed = 1 BEGIN
  UPDATE topic SET posts = posts + 1 WHERE id = NEW.topic_id;
END;
CREATE TRIGGER post_changes AFTER UPDATE OF listed ON post WHEN NEW.listed <> OLD.listed BEGIN
  UPDATE topic SET posts = posts + NEW.listed - OLD.listed WHERE id = NEW.topic_id;
END;
CREATE VIRTUAL TABLE post_fts USING fts5(
  title, body, symptoms,
  content='', contentless_delete=1, tokenize="unicode61 tokenchars '_'", prefix='2 3'
);
CREATE VIRTUAL TABLE reply_fts USING fts5(
  body,
  content='', contentless_delete=1, tokenize="unicode61 tokenchars '_'", prefix='2 3'
);
`;

/** Runs of cases: "still true?" is decided from them. */
const caseRuns = `
CREATE TABLE case_run (
  id INTEGER PRIMARY KEY,
  case_id TEXT NOT NULL,
  side TEXT NOT NULL,
  seed INTEGER NOT NULL,
  drydock_version TEXT NOT NULL,
  build TEXT NOT NULL,
  verdict TEXT NOT NULL,
  result TEXT NOT NULL,
  trace_digest TEXT NOT NULL,
  wall_ms INTEGER NOT NULL,
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX case_run_case ON case_run(case_id, id);
CREATE INDEX case_run_version ON case_run(drydock_version);
CREATE TABLE case_latest (
  case_id TEXT NOT NULL,
  side TEXT NOT NULL,
  run_id INTEGER NOT NULL REFERENCES case_run(id),
  PRIMARY KEY (case_id, side)
) STRICT, WITHOUT ROWID;
`;

/** Accounts: ways in, sessions, and what is good for one use. Only hashes of secrets are kept. */
const people = `
CREATE TABLE passkey (
  id INTEGER PRIMARY KEY,
  person_id INTEGER NOT NULL REFERENCES person(id),
  passkey_id TEXT NOT NULL UNIQUE,
  public_key BLOB NOT NULL,
  sign_count INTEGER NOT NULL,
  transports TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL
) STRICT;
CREATE INDEX passkey_person ON passkey(person_id);
CREATE TABLE password (
  person_id INTEGER NOT NULL PRIMARY KEY REFERENCES person(id),
  hash TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE session (
  id TEXT PRIMARY KEY,
  person_id INTEGER NOT NULL REFERENCES person(id),
  created_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  agent TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_person ON session(person_id, created_at);
CREATE INDEX session_end ON session(expires_at);
CREATE TABLE ticket (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX ticket_kind ON ticket(kind);
CREATE INDEX ticket_end ON ticket(expires_at);
CREATE INDEX person_role ON person(role);
`;

/** Flags, the log that only grows, who watches what, and what they were told; what makes a person known. */
const moderation = `
ALTER TABLE post ADD COLUMN locked INTEGER NOT NULL DEFAULT 0;
ALTER TABLE post ADD COLUMN hidden_from TEXT;
CREATE TABLE flag (
  id INTEGER PRIMARY KEY,
  of_kind TEXT NOT NULL,
  of_id INTEGER NOT NULL,
  person_id INTEGER NOT NULL REFERENCES person(id),
  reason TEXT NOT NULL,
  at INTEGER NOT NULL,
  decided_at INTEGER,
  decided_by INTEGER REFERENCES person(id),
  decision TEXT
) STRICT;
CREATE INDEX flag_waiting ON flag(id) WHERE decided_at IS NULL;
CREATE UNIQUE INDEX flag_once ON flag(of_kind, of_id, person_id) WHERE decided_at IS NULL;
CREATE TABLE moderation_log (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  actor_id INTEGER NOT NULL REFERENCES person(id),
  act TEXT NOT NULL,
  of_kind TEXT NOT NULL,
  of_id INTEGER NOT NULL,
  post_id INTEGER,
  subject_id INTEGER NOT NULL REFERENCES person(id),
  reason TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT;
CREATE INDEX moderation_subject ON moderation_log(subject_id, id);
CREATE INDEX moderation_thing ON moderation_log(of_kind, of_id, id);
CREATE TABLE watch (
  person_id INTEGER NOT NULL REFERENCES person(id),
  of_kind TEXT NOT NULL,
  of_id INTEGER NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (person_id, of_kind, of_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX watch_thing ON watch(of_kind, of_id, person_id);
CREATE TABLE notice (
  id INTEGER PRIMARY KEY,
  person_id INTEGER NOT NULL REFERENCES person(id),
  kind TEXT NOT NULL,
  post_id INTEGER,
  reply_id INTEGER,
  actor_id INTEGER NOT NULL REFERENCES person(id),
  at INTEGER NOT NULL,
  read_at INTEGER
) STRICT;
CREATE INDEX notice_person ON notice(person_id, id);
CREATE INDEX notice_unread ON notice(person_id) WHERE read_at IS NULL;
CREATE INDEX notice_at ON notice(at);
CREATE TABLE notice_feed (
  person_id INTEGER NOT NULL PRIMARY KEY REFERENCES person(id),
  hash TEXT NOT NULL UNIQUE
) STRICT, WITHOUT ROWID;
CREATE TABLE care (
  person_id INTEGER NOT NULL REFERENCES person(id),
  of_kind TEXT NOT NULL,
  of_id INTEGER NOT NULL,
  PRIMARY KEY (person_id, of_kind, of_id)
) STRICT, WITHOUT ROWID;
`;

/** What was done stays written, whoever holds the connection. */
const moderationOfSqlite = `
CREATE TRIGGER log_is_kept BEFORE UPDATE ON moderation_log BEGIN SELECT RAISE(ABORT, 'the log only grows'); END;
CREATE TRIGGER log_stays BEFORE DELETE ON moderation_log BEGIN SELECT RAISE(ABORT, 'the log only grows'); END;
`;

/** Redacted files of posts and what the doctor said of them. A reading has no foreign key: it goes before its places. */
const evidence = `
CREATE TABLE reading (
  id INTEGER PRIMARY KEY,
  is_known INTEGER NOT NULL,
  cards TEXT NOT NULL,
  symptoms TEXT NOT NULL
) STRICT;
CREATE TABLE evidence (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  post_id INTEGER REFERENCES post(id),
  owner_id INTEGER NOT NULL REFERENCES person(id),
  reading_id INTEGER NOT NULL,
  name TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  marks INTEGER NOT NULL,
  marked TEXT NOT NULL,
  notes TEXT NOT NULL,
  state TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX evidence_post ON evidence(post_id, id) WHERE post_id IS NOT NULL;
CREATE INDEX evidence_owner ON evidence(owner_id, id);
CREATE INDEX evidence_reading ON evidence(reading_id);
CREATE INDEX evidence_draft ON evidence(created_at) WHERE state = 'draft';
CREATE TABLE evidence_bytes (
  evidence_id INTEGER NOT NULL PRIMARY KEY REFERENCES evidence(id),
  bytes BLOB NOT NULL
) STRICT;
`;

/** Files of answers and comments: `post_id` is their post's then, too. */
const evidenceOfReplies = `
ALTER TABLE evidence ADD COLUMN reply_id INTEGER REFERENCES reply(id);
CREATE INDEX evidence_reply ON evidence(reply_id) WHERE reply_id IS NOT NULL;
`;

/** What both kinds of database share; postgres-schema.ts says the types in PostgreSQL's words. */
export const sharedSteps: readonly string[] = [
  first,
  caseRuns,
  people,
  moderation,
  evidence,
  evidenceOfReplies,
];

/** What SQLite says besides, by step. */
const sqliteOnly: Readonly<Record<number, string>> = { 0: firstOfSqlite, 3: moderationOfSqlite };

/** Step n takes a database of version n to version n + 1; a new one goes through all of them. */
export const boardSchemaSteps: readonly string[] = sharedSteps.map(
  (step, index) => step + (sqliteOnly[index] ?? ""),
);

export const boardSchemaVersion = boardSchemaSteps.length;
