import type { IssuedSession, Session } from 'nestjs-distributed-session';

export type IssuedSessionView = Session & Pick<IssuedSession, 'token' | 'credential'>;

/** The session with its secrets where JSON finds them. On the result of the manager they are not enumerable. */
export function showIssued(session: IssuedSession): IssuedSessionView {
  const { token, credential } = session;
  return { ...session, token, credential };
}
