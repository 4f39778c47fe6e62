import { hideGetters } from '../model/secret.js';
import type { Session } from '../model/session.js';
import { formatCredential } from './session-credential.js';

/** A session's snapshot, and its token behind getters that no dump reads. */
export class SessionWithToken {
  declare readonly sessionId: string;
  readonly #token: string;

  static {
    hideGetters(this.prototype);
  }

  constructor(session: Session, token: string) {
    Object.assign(this, session);
    this.#token = token;
    Object.freeze(this);
  }

  get token(): string {
    return this.#token;
  }

  get credential(): string {
    return formatCredential({ sessionId: this.sessionId, token: this.#token });
  }
}
