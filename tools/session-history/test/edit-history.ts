import { isFinalRead } from '../src/final-reader.js';
import type { CallOf, Feed, ReceivedChange, History, HistoryCall, Operation, SeenEnded } from '../src/history.js';

type Mutable<T> = T extends readonly (infer Item)[]
  ? Mutable<Item>[]
  : T extends string
    ? T
    : T extends object
      ? { -readonly [Key in keyof T]: Mutable<T[Key]> }
      : T;

/** A copy of a history that may be made untrue. */
export class HistoryEditor {
  readonly history: Mutable<History>;

  constructor(history: History) {
    this.history = structuredClone(history) as Mutable<History>;
  }

  /** The copy of a call of the history. */
  call<Op extends Operation>({ client, number }: CallOf<Op>): Mutable<CallOf<Op>> {
    return this.#calls().find((call) => call.client === client && call.number === number) as Mutable<CallOf<Op>>;
  }

  /** The call of the final reader that read this. */
  finalRead(
    operation: 'sweep' | 'get' | 'listByLogin' | 'listHistory' | 'count',
    subject?: string,
  ): Mutable<HistoryCall> {
    return this.#calls().find((call) => {
      const isSubject = subject === undefined || Object.values(call.input).includes(subject);
      return isFinalRead(call) && call.operation === operation && isSubject;
    })!;
  }

  /** Lets a call answer with these sessions. */
  answer(call: Pick<Mutable<HistoryCall>, 'result'>, sessions: readonly unknown[]): void {
    call.result = { answer: 'read', sessions: structuredClone(sessions) as Mutable<SeenEnded>[] };
  }

  /** Lets each tombstone of a session say something else. */
  tombstones(sessionId: string, change: Partial<SeenEnded>): void {
    for (const seen of this.#calls().flatMap(({ result }) => result?.sessions ?? [])) {
      if (seen.state === 'ended' && seen.sessionId === sessionId) Object.assign(seen, change);
    }
  }

  feed(client: string): Mutable<Feed> {
    return this.history.feeds.find((feed) => feed.client === client)!;
  }

  /** The changes of a session that a client received, in order. */
  received(client: string, sessionId: string): Mutable<ReceivedChange>[] {
    return this.feed(client).received.filter(({ change }) => 'sessionId' in change && change.sessionId === sessionId);
  }

  #calls(): Mutable<HistoryCall>[] {
    return this.history.calls;
  }
}
