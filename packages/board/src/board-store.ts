// The port below the board: what a store promises. Every method is one transaction: all of it is there, or nothing.

import type { EvidenceStore } from "./evidence-store.ts";
import type { Cursor, ListOrder } from "./listing.ts";
import type { ModerationStore } from "./moderation-store.ts";
import type { PeopleStore } from "./people-store.ts";
import type {
  Boost,
  CaseRunRow,
  OriginRow,
  Person,
  Post,
  PostKind,
  PostRow,
  PostState,
  Reply,
  ReplyKind,
  Revision,
  Role,
  Symptom,
  Tag,
  Topic,
} from "./records.ts";
import type { WatchStore } from "./watch-store.ts";

export interface NewPost {
  readonly topicId: number;
  readonly authorId: number;
  readonly kind: PostKind;
  readonly title: string;
  readonly markdown: string;
  /** The text's words without marks. */
  readonly plain: string;
  readonly tags: readonly string[];
  readonly symptoms: readonly Symptom[];
  readonly at: number;
  readonly source: "own" | "seed";
  readonly state?: PostState;
  readonly caseId?: string | null;
  readonly isPinned?: boolean;
  /** Its folder in an export, unique; left out, the store gives one by number and title that stays. */
  readonly folder?: string;
  readonly origin?: OriginRow | null;
  readonly isLocked?: boolean;
  /** Somebody wrote it here: the author watches it, and those who watch the topic are told. */
  readonly isTold?: boolean;
}

export interface NewReply {
  readonly postId: number;
  readonly parentId: number | null;
  readonly authorId: number;
  readonly kind: ReplyKind;
  readonly markdown: string;
  readonly plain: string;
  /** They lead to the post, after those of its own text. */
  readonly symptoms: readonly Symptom[];
  readonly at: number;
  readonly source: "own" | "seed";
  /** Its file in an export, unique within the post; left out, the store gives the next number. */
  readonly file?: string;
  /** Somebody wrote it here: the author watches the post, and its watchers are told. */
  readonly isTold?: boolean;
  /** The author is known: such an answer says that the post is worth one. */
  readonly isByKnown?: boolean;
  /** Also below a locked post. */
  readonly isPastLock?: boolean;
}

/** New text for a post or a reply; the old one stays as a revision. */
export interface Edit {
  readonly editorId: number;
  /** The version that the editor saw. */
  readonly version: number;
  readonly title?: string;
  readonly tags?: readonly string[];
  readonly symptoms?: readonly Symptom[];
  readonly markdown: string;
  readonly plain: string;
  readonly at: number;
}

export interface SearchAsk {
  /** Lower-case words, all of which must be there; the last may be the beginning of one. */
  readonly words: readonly string[];
  /** All of these must be on the post. */
  readonly symptoms: readonly Symptom[];
  readonly topicId: number | null;
  readonly tag: string | null;
  readonly state: "open" | "solved" | null;
  readonly hasAnswer: boolean;
  readonly hasCase: boolean;
  /** Only posts that somebody has on this system. */
  readonly os: string | null;
  readonly after: Cursor | null;
  readonly limit: number;
}

export interface SearchHit extends PostRow {
  /** Lower is better; equal queries on equal rows give equal scores. */
  readonly score: number;
}

/** What a person's act answered the first time, kept so that the same act sent twice happens once. */
export interface ActKey {
  /** Drawn by the form, at most 64 characters; null when the act carries none. */
  readonly key: string | null;
  readonly at: number;
  /** Taken in the act's transaction, after its key: what was done before costs nothing. */
  readonly limits?: readonly ActLimit[];
}

/** So many in a window of time, or one in a gap; what to tell whoever is over it. */
export type ActLimit = { readonly name: string; readonly code: string; readonly text: string } & (
  | { readonly gapMs: number }
  | { readonly most: number; readonly windowMs: number }
);

export interface Done {
  readonly id: number;
  /** False when this act had been done before. */
  readonly isNew: boolean;
}

export interface StoreCheck {
  /** Empty when counters equal the counted rows and the index the texts. */
  readonly faults: readonly string[];
}

/** What an import gives a post besides its text. */
export interface ImportedFields {
  readonly kind?: PostKind;
  readonly state?: PostState;
  readonly caseId?: string | null;
  readonly isPinned?: boolean;
  readonly origin?: OriginRow | null;
  readonly acceptedFile?: string | null;
  /** Files of replies that are hidden. */
  readonly hiddenFiles?: readonly string[];
  readonly activityAt?: number;
  readonly views?: number;
}

export interface BoardStore {
  /** Accounts, keys, sessions and limits. */
  readonly accounts: PeopleStore;
  readonly moderation: ModerationStore;
  readonly watching: WatchStore;
  readonly evidence: EvidenceStore;

  /** Makes or finds a person by handle. */
  person(handle: string, shownName: string, role: Role, at: number): Promise<Person>;
  topics(): Promise<Topic[]>;
  topic(slug: string): Promise<Topic | null>;
  /** Makes a topic or changes what is said of it, by slug. */
  putTopic(topic: Omit<Topic, "id" | "posts">, position: number): Promise<Topic>;

  /** Acknowledged means kept, across a power cut. The act's key, when seen before, gives the first answer. Throws LimitReached. */
  addPost(post: NewPost, act: ActKey): Promise<Done>;
  /** Null when the post is not there (or hidden, or deleted). Counts itself on the post and moves its activity. Throws LimitReached. */
  addReply(reply: NewReply, act: ActKey): Promise<Done | "locked" | null>;
  /** "missing", "changed" (the version is another one), or the new version. */
  editPost(id: number, edit: Edit): Promise<"missing" | "changed" | number>;
  editReply(id: number, edit: Edit): Promise<"missing" | "changed" | number>;
  /** The row stays, its texts go, revisions included. False when there is none. */
  deletePost(id: number, at: number): Promise<boolean>;
  deleteReply(id: number, at: number): Promise<boolean>;
  /** Says once; again it changes the details only. False when there is no such post. */
  boost(boost: {
    postId: number;
    personId: number;
    at: number;
    os: string;
    hardware: string;
    /** Somebody said it here: they watch the post from now on. */
    isTold?: boolean;
    isByKnown?: boolean;
  }): Promise<boolean>;
  unboost(postId: number, personId: number): Promise<boolean>;
  /** An answer of this post, or null to take it back. False when it is none. */
  accept(
    postId: number,
    replyId: number | null,
    at: number,
    by?: { readonly id: number; readonly isKnown: boolean },
  ): Promise<boolean>;
  markDuplicate(postId: number, of: number | null, at: number): Promise<boolean>;
  /** What an import gives a post besides its text. */
  setImported(postId: number, fields: ImportedFields): Promise<void>;

  post(id: number): Promise<Post | null>;
  postByFolder(folder: string): Promise<Post | null>;
  /** Answers and comments in order of arrival; deleted answers with comments below them stay as empty places. */
  replies(postId: number): Promise<Reply[]>;
  reply(id: number): Promise<Reply | null>;
  revisions(of: "post" | "reply", id: number): Promise<Revision[]>;
  boosts(postId: number, limit: number): Promise<Boost[]>;
  hasBoosted(postId: number, personId: number): Promise<boolean>;

  /** Rows of a topic in this order; one more than asked for tells that there is a next page. */
  list(topicId: number, order: ListOrder): Promise<PostRow[]>;
  pinned(topicId: number): Promise<PostRow[]>;
  /** As the page of origin had them. */
  originRows(topicId: number): Promise<PostRow[]>;
  byTag(tag: string, after: Cursor | null, limit: number): Promise<PostRow[]>;
  bySymptom(symptom: Symptom, limit: number): Promise<PostRow[]>;
  /** Newest first. */
  byAuthor(personId: number, limit: number): Promise<PostRow[]>;
  byCase(caseId: string): Promise<PostRow[]>;
  tags(limit: number): Promise<Tag[]>;
  /** Best first. */
  search(ask: SearchAsk): Promise<SearchHit[]>;
  /** Every post that is not deleted, hidden ones too, by id: for an export. */
  everyPost(after: number, limit: number): Promise<Post[]>;

  /** The day's secret; the given one becomes it when there is none yet. */
  keyOfDay(day: number, fresh: Uint8Array): Promise<Uint8Array>;
  /** True when it counted: not seen today, a post that is there, and not more than `perMinute` this minute. */
  countView(view: {
    postId: number;
    day: number;
    viewer: Uint8Array;
    minute: number;
    perMinute: number;
  }): Promise<boolean>;
  /** Destroys keys of days before `keysBefore` and viewers of days before `seenBefore`. */
  purgeViews(keysBefore: number, seenBefore: number): Promise<void>;

  /** Once for an act that has a key. */
  addCaseRun(run: Omit<CaseRunRow, "id">, act?: ActKey): Promise<void>;
  /** Newest first. */
  caseRuns(caseId: string, limit: number): Promise<CaseRunRow[]>;
  /** Of every case and side the newest run. */
  latestRuns(): Promise<CaseRunRow[]>;

  /** What the import last wrote for a file of a folder: to tell a person's edit from ours. */
  importedHash(path: string): Promise<string | null>;
  setImportedHash(path: string, hash: string): Promise<void>;
  setting(name: string): Promise<string | null>;
  setSetting(name: string, value: string): Promise<void>;

  /** Does what only one server of this board may do at a time: whoever comes meanwhile waits for it. */
  alone<T>(act: () => Promise<T>): Promise<T>;
  /** Does what somebody changes: where statements wait for a connection, those within go before others. */
  urgently<T>(act: () => Promise<T>): Promise<T>;
  /** Counts everything again and compares. */
  check(): Promise<StoreCheck>;
  close(): Promise<void>;
}
