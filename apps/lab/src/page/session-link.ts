// The page's end of a session: what it says as signals, what it is asked as promises.

import { signal } from "@preact/signals";
import type {
  FileForm,
  FromSession,
  Opening,
  RowCells,
  RowDetail,
  RowWish,
  SessionState,
  ToSession,
} from "../session/messages.ts";
import type { ViewAnswer, ViewAsk } from "../session/views.ts";

/** What a session is reached through: a worker's port. */
export interface SessionPort {
  send(message: ToSession): void;
  onMessage(take: (message: FromSession) => void): void;
}

type FileMessage = Extract<FromSession, { kind: "file" }>;

export class SessionLink {
  readonly state = signal<SessionState | null>(null);
  /** The newest thing that was said, with a number so that the same words twice are said twice. */
  readonly said = signal<{ readonly text: string; readonly isRefusal: boolean; readonly number: number }>({
    text: "",
    isRefusal: false,
    number: 0,
  });
  readonly #port: SessionPort;
  readonly #waiting = new Map<number, (message: FromSession) => void>();
  #lastId = 0;
  #opened = 0;

  constructor(port: SessionPort) {
    this.#port = port;
    port.onMessage((message) => this.#take(message));
  }

  #take(message: FromSession): void {
    if (message.kind === "state") {
      // What the session before says is no longer asked for.
      if (message.state.opened === this.#opened) this.state.value = message.state;
    } else if (message.kind === "pong" || message.kind === "searched") return;
    else if (message.kind === "said") this.say(message.text, message.isRefusal);
    else {
      this.#waiting.get(message.id)?.(message);
      this.#waiting.delete(message.id);
    }
  }

  say(text: string, isRefusal = false): void {
    this.said.value = { text, isRefusal, number: this.said.value.number + 1 };
  }

  #ask(make: (id: number) => ToSession): Promise<FromSession> {
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#port.send(make(id));
    });
  }

  open(opening: Opening): void {
    // What was asked of the session before is answered with nothing: it may have ended with its worker.
    for (const answer of this.#waiting.values()) answer({ kind: "said", text: "", isRefusal: false });
    this.#waiting.clear();
    this.state.value = null;
    this.#port.send({ kind: "open", opening, number: ++this.#opened });
  }

  act(name: string, value = ""): void {
    this.#port.send({ kind: "act", act: { name: name as never, value } });
  }

  cancel(): void {
    this.#port.send({ kind: "cancel" });
  }

  list(wish: RowWish): void {
    this.#port.send({ kind: "filter", wish });
  }

  async rows(from: number, count: number): Promise<readonly RowCells[]> {
    const answer = await this.#ask((id) => ({ kind: "rows", id, from, count }));
    return answer.kind === "rows" ? answer.rows : [];
  }

  async row(sequence: number): Promise<RowDetail | null> {
    const answer = await this.#ask((id) => ({ kind: "row", id, sequence }));
    return answer.kind === "row" ? answer.detail : null;
  }

  async place(sequence: number): Promise<number> {
    const answer = await this.#ask((id) => ({ kind: "place", id, sequence }));
    return answer.kind === "place" ? answer.place : 0;
  }

  async hit(sequence: number, isBack: boolean): Promise<number> {
    const answer = await this.#ask((id) => ({ kind: "hit", id, sequence, isBack }));
    return answer.kind === "hit" ? answer.sequence : 0;
  }

  /** Null: the session ended before it answered. */
  async view(ask: ViewAsk): Promise<ViewAnswer | null> {
    const answer = await this.#ask((id) => ({ kind: "view", id, ask }));
    return answer.kind === "view" ? answer.answer : null;
  }

  async file(form: FileForm, evidence = 0): Promise<FileMessage | null> {
    const answer = await this.#ask((id) => ({ kind: "file", id, form, evidence }));
    return answer.kind === "file" ? answer : null;
  }
}
