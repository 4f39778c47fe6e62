import { type Observable, Subject, filter } from 'rxjs';
import type { SessionStorage } from '../storage/session-storage.js';
import { IsolatedObservable } from './isolated-observable.js';
import type { SessionEvent, SessionEventMap, SessionEventType } from './session-event.js';

/**
 * The events of all sessions as observables. Inject it, or use `DistributedSessionManager.events`.
 *
 * @example
 * constructor(events: SessionEvents) {
 *   events.on('session.created').subscribe(({ loginId, device }) => console.log(loginId, device));
 * }
 */
export class SessionEvents {
  readonly #subject = new Subject<SessionEvent>();
  readonly #unsubscribe: () => void;
  /** Every event. Completes when the manager is closed. Errors that a subscriber throws are logged. */
  readonly all: Observable<SessionEvent> = new IsolatedObservable((subscriber) => this.#subject.subscribe(subscriber));

  constructor(storage: SessionStorage) {
    this.#unsubscribe = storage.changes((change) => this.#subject.next(change));
  }

  /**
   * Returns the events of one type.
   *
   * @example
   * events.on('session.ended').subscribe(({ sessionId, reason }) => console.log(sessionId, reason));
   */
  on<T extends SessionEventType>(type: T): Observable<SessionEventMap[T]> {
    return this.all.pipe(filter((event): event is SessionEventMap[T] => event.type === type));
  }

  /** Emits an event in this process only. */
  emit(event: SessionEventMap['session.refused']): void {
    this.#subject.next(Object.freeze(event));
  }

  /** Completes the observables. The manager calls it. */
  close(): void {
    this.#unsubscribe();
    this.#subject.complete();
  }
}
