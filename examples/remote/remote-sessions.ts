import type {
  AttributeValue,
  CreateSessionOptions,
  EndAllOptions,
  EndOptions,
  IssuedSession,
  ListedSession,
  ReadOptions,
  Session,
  SessionCredential,
  SessionHistoryEntry,
} from 'nestjs-distributed-session';
import type { SharedSessions } from '../service/shared-sessions.js';
import type { SessionServiceConnection } from './session-service.connection.js';

/** The maximum per user, so that one page contains all. */
const MAX_SESSIONS_PER_LOGIN = 1_000;

/**
 * The sessions of a service that does not hold the storage: the same methods, implemented by the session service, which
 * also enforces the permissions.
 */
export class RemoteSessions implements SharedSessions {
  constructor(private readonly service: SessionServiceConnection) {}

  async createSession(loginId: string, token?: string, options: CreateSessionOptions = {}): Promise<IssuedSession> {
    const body = { loginId, token, ...options };
    const request = { method: 'POST', path: ['sessions'], body, isRead: false } as const;
    const { token: issued, credential, ...session } = await this.service.send<IssuedSession>(request);
    // Getters, as in the library, so that a session that is logged or sent contains no secret.
    Object.defineProperties(session, { token: { get: () => issued }, credential: { get: () => credential } });
    return session as IssuedSession;
  }

  async verifySession(presented: string | SessionCredential, { touch }: ReadOptions = {}): Promise<Session> {
    const credential = typeof presented === 'string' ? presented : `${presented.sessionId}.${presented.token}`;
    const [sessionId] = credential.split('.', 1);
    const body = { credential, touch };
    return this.service.send({ method: 'POST', path: ['sessions', 'verify'], body, isRead: true, sessionId });
  }

  async setAttribute(sessionId: string, key: string, value: AttributeValue): Promise<Session> {
    const path = ['sessions', sessionId, 'attributes'];
    const body = { set: Object.fromEntries([[key, value]]) };
    return this.service.send({ method: 'PATCH', path, body, isRead: false, sessionId });
  }

  async getSessionsByLoginId(loginId: string): Promise<readonly ListedSession[]> {
    const path = ['logins', loginId, 'sessions'];
    const query = { limit: MAX_SESSIONS_PER_LOGIN };
    const request = { method: 'GET', path, query, isRead: true } as const;
    const { sessions } = await this.service.send<{ sessions: ListedSession[] }>(request);
    return sessions;
  }

  async getSessionHistory(loginId: string): Promise<readonly SessionHistoryEntry[]> {
    const request = { method: 'GET', path: ['logins', loginId, 'history'], isRead: true } as const;
    const { history } = await this.service.send<{ history: SessionHistoryEntry[] }>(request);
    return history;
  }

  async kickOut(sessionId: string, { actor }: Pick<EndOptions, 'actor'> = {}): Promise<boolean> {
    const query = { reason: 'kicked-out', actor };
    const request = { method: 'DELETE', path: ['sessions', sessionId], query, isRead: false, sessionId } as const;
    const { ended } = await this.service.send<{ ended: boolean }>(request);
    return ended;
  }

  async deleteAllSessions(loginId: string, { exceptSessionId, ...options }: EndAllOptions = {}): Promise<number> {
    const query = { except: exceptSessionId, ...options };
    const request = { method: 'DELETE', path: ['logins', loginId, 'sessions'], query, isRead: false } as const;
    const { ended } = await this.service.send<{ ended: number }>(request);
    return ended;
  }
}
