import type { SessionStorage } from 'nestjs-distributed-session';
import type { StoredSession } from 'nestjs-distributed-session/storage';
import { isApplied, LoadSession, type LoadWrite } from './load-session.js';
import { settle } from './settled-call.js';
import { bytes, creation, RETENTION_MS } from './storage-calls.js';

/** One call of a load. Times are those of `performance.now()`. */
export interface LoadCall {
  /** The number of the user that made it. */
  readonly user: number;
  readonly session: LoadSession;
  readonly operation: LoadWrite['operation'] | 'get';
  readonly outcome: string;
  readonly message?: string;
  readonly startedAt: number;
  readonly ms: number;
  /** What a read found. */
  readonly found?: StoredSession;
}

export interface SteadyLoadOptions {
  /** Shared by the users. */
  readonly storages: readonly SessionStorage[];
  /** The login ids of each user, each used once, without end. */
  readonly users: readonly Iterator<string, undefined>[];
}

const PAUSE_MS = 5;
const PAUSE_AFTER_ERROR_MS = 25;
const REPLACES = 3;

/**
 * Users that create, read, change and end sessions, one call at a time each, until they are stopped. No other client
 * uses their sessions, so every read can be checked. Each login id ends up with a live and an ended session; a session
 * with a failed call stays as it is.
 */
export class SteadyLoad {
  readonly calls: LoadCall[] = [];
  readonly sessions: LoadSession[] = [];
  readonly #users: Promise<void>[];
  #isOver = false;

  constructor({ storages, users }: SteadyLoadOptions) {
    this.#users = users.map((logins, user) => this.#work(storages[user % storages.length]!, user, logins));
  }

  /** Whether each of these users has an applied write that began after a time. */
  haveWritten(users: readonly number[], since: number): boolean {
    return users.every((user) =>
      this.calls.some((call) => call.user === user && call.startedAt > since && isApplied(call)),
    );
  }

  /** Resolves when all calls have settled. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#users);
  }

  async #work(storage: SessionStorage, user: number, logins: Iterator<string, undefined>): Promise<void> {
    const earlier: LoadSession[] = [];
    while (!this.#isOver) {
      const loginId = logins.next().value!;
      for (const ends of [false, true]) {
        const session = await this.#useSession(storage, user, loginId, ends);
        if (session.isLive) earlier.push(session);
        const old = earlier[this.calls.length % earlier.length];
        if (old) await this.#call(storage, user, old, 'get');
      }
    }
  }

  async #useSession(storage: SessionStorage, user: number, loginId: string, ends: boolean): Promise<LoadSession> {
    const session = new LoadSession(storage.nextSessionId(loginId), loginId);
    this.sessions.push(session);
    let succeeded = await this.#call(storage, user, session, 'create', 1);
    for (let version = 2; succeeded && version <= REPLACES + 1; version++) {
      succeeded = await this.#call(storage, user, session, 'get');
      succeeded &&= await this.#call(storage, user, session, 'replace', version);
    }
    if (succeeded && ends) {
      await this.#call(storage, user, session, 'end', REPLACES + 1);
      await this.#call(storage, user, session, 'get');
    }
    return session;
  }

  /** Makes a call and returns whether it succeeded. */
  async #call(
    storage: SessionStorage,
    user: number,
    session: LoadSession,
    operation: LoadCall['operation'],
    version = 0,
  ): Promise<boolean> {
    const startedAt = performance.now();
    let found: StoredSession | undefined;
    const read = async (): Promise<void> => {
      found = await storage.get(session.sessionId);
    };
    const settled = await settle(() => (operation === 'get' ? read() : write(storage, session, operation, version)));
    this.calls.push({ user, session, operation, startedAt, ...settled, ...(found && { found }) });
    if (operation !== 'get') {
      session.add({ operation, version, outcome: settled.outcome, endedAt: performance.now() });
    }
    const succeeded = isApplied(settled) || settled.outcome === 'read';
    await new Promise((resolve) => setTimeout(resolve, succeeded ? PAUSE_MS : PAUSE_AFTER_ERROR_MS));
    return succeeded;
  }
}

function write(
  storage: SessionStorage,
  session: LoadSession,
  operation: LoadWrite['operation'],
  version: number,
): Promise<unknown> {
  const { sessionId, loginId } = session;
  const payload = bytes(session.textAt(version));
  if (operation === 'create') return storage.create({ ...creation(storage, loginId), sessionId, payload });
  if (operation === 'end') {
    return storage.end({ sessionId, reason: 'logged-out', historyRetentionMs: RETENTION_MS, by: 'tests' });
  }
  return storage.replace({ sessionId, expectedVersion: version - 1, payload, touch: false, by: 'tests' });
}
