import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ComparedServers, sessionIdOf, startComparedServers } from '../support/compared-servers.js';
import { ALL_SERVERS, stopServices } from '../support/running-service.js';
import type { ServiceClient } from '../support/service-client.js';

const SESSION = `/v1/sessions/${sessionIdOf(1)}`;
const ANONYMOUS = { authorization: undefined };

/** Runs in every tier. The full tier runs all other files on both servers, too. */
describe('Express and Fastify give the same answer, byte for byte,', () => {
  let servers: ComparedServers;

  beforeAll(async () => {
    servers = await startComparedServers({}, ALL_SERVERS);
    for (const { sessions } of servers.services) {
      const { sessionId } = await sessions.createSession('bob');
      await sessions.kickOut(sessionId);
    }
  });

  afterAll(stopServices);

  test.each<[what: string, status: number, request: Parameters<ServiceClient>]>([
    ['a session', 200, [`GET ${SESSION}`]],
    ['attributes', 200, [`GET ${SESSION}/attributes`]],
    ['an attribute', 200, [`GET ${SESSION}/attributes/role`]],
    ['a new version', 200, [`PUT ${SESSION}/attributes/role`, { value: { a: [null, 'é', 1e21] } }]],
    ['a patch', 200, [`PATCH ${SESSION}/attributes`, { set: { constructor: 1 }, remove: ['role'] }]],
    ["a user's sessions", 200, ['GET /v1/logins/alice/sessions?limit=1']],
    ['online users', 200, ['GET /v1/logins']],
    ['counts', 200, ['GET /v1/counts?&']],
    ['health', 200, ['GET /health/live', undefined, ANONYMOUS]],
    ['an event stream', 200, ['GET /v1/events']],
    ['a HEAD', 200, [`HEAD ${SESSION}`]],
    ['an ended session', 410, [`GET /v1/sessions/${sessionIdOf(2)}`]],
    ['a missing service', 404, ['GET /v1/services/unknown']],
    ['a missing attribute', 404, [`GET ${SESSION}/attributes/unknown`]],
    ['a missing route', 404, ['GET /v1/unknown']],
    ['a trailing slash', 404, [`GET ${SESSION}/`]],
    ['capitals', 404, ['GET /V1/counts']],
    ['another method', 405, ['PUT /v1/counts']],
    ['a missing credential', 401, ['GET /v1/counts', undefined, ANONYMOUS]],
    ['a wrong credential', 401, ['GET /v1/counts', undefined, { authorization: 'Basic YTpi' }]],
    ['a taken service id', 409, ['POST /v1/services', { serviceId: 'client', serviceName: 'x', permissions: [] }]],
    ['a stale version', 412, [`PUT ${SESSION}`, { attributes: {} }, { 'if-match': '"9"' }]],
    ['a missing version', 428, [`PUT ${SESSION}`, { attributes: {} }]],
    ['a wrong field', 400, ['POST /v1/sessions', { loginId: 5, unknown: [] }]],
    ['a value out of bounds', 400, ['POST /v1/sessions', { loginId: 'x'.repeat(257) }]],
    ['malformed JSON', 400, ['POST /v1/sessions', Buffer.from('{"loginId":')]],
    ['malformed UTF-8', 400, ['POST /v1/sessions', Buffer.from([0x22, 0xff, 0x22])]],
    ['a body that is not expected', 400, ['GET /v1/counts', {}]],
    ['an unknown query parameter', 400, ['GET /v1/counts?x=1']],
    ['malformed percent-encoding in a path', 400, ['GET /v1/sessions/%zz']],
    ['malformed percent-encoding in a query', 400, [`DELETE ${SESSION}?actor=%ff`]],
    ['a repeated header', 400, ['POST /v1/sessions', { loginId: 'bob' }, { 'idempotency-key': ['a', 'b'] }]],
    ['a large body', 413, ['POST /v1/sessions', { loginId: 'x'.repeat(2_000_000) }]],
    ['another content type', 415, ['POST /v1/sessions', { loginId: 'bob' }, { 'content-type': 'text/plain' }]],
    ['another encoding', 415, ['POST /v1/sessions', { loginId: 'bob' }, { 'content-encoding': 'gzip' }]],
    ['an unprocessable secret', 422, ['POST /v1/services/verify', { serviceId: 'client', secret: 'dss_' }]],
  ])('for %s: %d', async (_what, status, [line, body, headers]) => {
    expect((await servers.answerOf(line, body, headers)).status).toBe(status);
  });
});
