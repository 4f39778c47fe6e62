import { type Observable, Subject, filter } from 'rxjs';
import { IsolatedObservable } from './isolated-observable.js';
import type { SessionStorage } from '../storage/session-storage.js';
import type { SessionEvent, SessionEventMap, SessionEventType } from './session-event.js';

/** The events of all sessions as observables. Inject it, or take it from `DistributedSessionManager.events`. */
export class SessionEvents {
  readonly #subject = new Subject<SessionEvent>();
  readonly #unsubscribe: () => void;
  /** Every event. Completes when the manager is closed. What a subscriber throws is logged and disturbs nothing. */
  readonly all: Observable<SessionEvent> = new IsolatedObservable((subscriber) => this.#subject.subscribe(subscriber));

  constructor(storage: SessionStorage) {
    this.#unsubscribe = storage.changes((change) => this.#subject.next(change));
  }

  /** The events of one type. */
  on<T extends SessionEventType>(type: T): Observable<SessionEventMap[T]> {
    return this.all.pipe(filter((event): event is SessionEventMap[T] => event.type === type));
  }

  /** Tells an event of this process alone. */
  emit(event: SessionEventMap['session.refused']): void {
    this.#subject.next(Object.freeze(event));
  }

  close(): void {
    this.#unsubscribe();
    this.#subject.complete();
  }
}
