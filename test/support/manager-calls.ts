import type { DistributedSessionManager } from 'nestjs-distributed-session';

type Calls = Readonly<Record<string, (sessions: DistributedSessionManager) => unknown>>;

/** A well-formed id of no session. */
const SESSION_ID = '00000000-0000-4000-8000-000000000000';

/**
 * A valid call of each manager method except `as` and `may`, which require no permission. The results do not matter,
 * because permissions are checked before anything is read.
 */
export const MANAGER_CALLS: Calls = {
  createSession: (sessions) => sessions.createSession('user123', undefined, { attributes: { role: 'admin' } }),
  verifySession: (sessions) => sessions.verifySession(`${SESSION_ID}.token`),
  getSession: (sessions) => sessions.getSession(SESSION_ID),
  findSession: (sessions) => sessions.findSession(SESSION_ID),
  refreshSession: (sessions) => sessions.refreshSession(SESSION_ID),
  getAttribute: (sessions) => sessions.getAttribute(SESSION_ID, 'role'),
  updateSession: (sessions) =>
    sessions.updateSession({
      sessionId: SESSION_ID,
      loginId: 'user123',
      serviceId: 'order',
      version: 1,
      createdAt: 0,
      lastAccessedAt: 0,
      expiresAt: 0,
      attributes: {},
    }),
  setAttributes: (sessions) => sessions.setAttributes(SESSION_ID, { set: { role: 'admin' } }),
  setAttribute: (sessions) => sessions.setAttribute(SESSION_ID, 'role', 'admin'),
  removeAttribute: (sessions) => sessions.removeAttribute(SESSION_ID, 'role'),
  // By credential and by id, which require different permissions.
  rotateSession: (sessions) =>
    Promise.all([
      sessions.rotateSession(`${SESSION_ID}.token`),
      sessions.rotateSession(SESSION_ID, { actor: 'support@example.com' }),
    ]),
  deleteSession: (sessions) => sessions.deleteSession(SESSION_ID),
  kickOut: (sessions) => sessions.kickOut(SESSION_ID),
  deleteAllSessions: (sessions) => sessions.deleteAllSessions('user123'),
  getSessionsByLoginId: (sessions) => sessions.getSessionsByLoginId('user123'),
  getSessionHistory: (sessions) => sessions.getSessionHistory('user123'),
  countSessions: (sessions) => sessions.countSessions(),
  countOnline: (sessions) => sessions.countOnline(),
  listLogins: (sessions) => sessions.listLogins(),
  events: (sessions) => sessions.events,
  touches: (sessions) => sessions.touches,
  registerService: (sessions) =>
    sessions.registerService({ serviceId: 'order', serviceName: 'Orders', permissions: [] }),
  verifyService: (sessions) => sessions.verifyService('order', 'some secret'),
  verifyServiceSecret: (sessions) => sessions.verifyServiceSecret('some secret'),
  listServices: (sessions) => sessions.listServices(),
  rotateServiceSecret: (sessions) => sessions.rotateServiceSecret('order'),
  endServiceSecret: (sessions) => sessions.endServiceSecret('order', 'key'),
  revokeService: (sessions) => sessions.revokeService('order'),
  connect: (sessions) => sessions.connect(),
  close: (sessions) => sessions.close(),
};
