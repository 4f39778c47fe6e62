import { Logger } from '@nestjs/common';
import { Observable, type Observer, type Operator, Subscriber, type Subscription } from 'rxjs';

type Listener<T> = Partial<Observer<T>> | ((value: T) => unknown) | null;

/**
 * An observable that logs the errors and rejections of its subscribers. A plain observable reports them as uncaught
 * exceptions of the process. Observables derived with `pipe()` are isolated as well.
 */
export class IsolatedObservable<T> extends Observable<T> {
  readonly #logger = new Logger(IsolatedObservable.name);

  override lift<R>(operator?: Operator<T, R>): Observable<R> {
    const lifted = new IsolatedObservable<R>();
    lifted.source = this;
    if (operator) lifted.operator = operator;
    return lifted;
  }

  override subscribe(
    listener?: Listener<T>,
    error?: ((error: unknown) => void) | null,
    complete?: (() => void) | null,
  ): Subscription {
    // The subscribers of operators forward errors to the final listener, which is wrapped.
    if (listener instanceof Subscriber) return super.subscribe(listener as Subscriber<T>);
    const given = typeof listener === 'function' ? { next: listener, error, complete } : (listener ?? {});
    return super.subscribe({
      next: (value) => void this.#call(() => given.next?.(value)),
      error: (reason) => void this.#call(() => given.error?.(reason)),
      complete: () => void this.#call(() => given.complete?.()),
    });
  }

  async #call(listener: () => unknown): Promise<void> {
    try {
      await listener();
    } catch (error) {
      this.#logger.error('A listener of session events failed.', error instanceof Error ? error.stack : undefined);
    }
  }
}
