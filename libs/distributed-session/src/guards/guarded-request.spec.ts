import { describe, expect, it } from '@jest/globals';
import { ForbiddenException, type ExecutionContext } from '@nestjs/common';
import { guardedRequestOf } from './guarded-request.js';

function contextOf(request: object, type = 'http'): ExecutionContext {
  const response = { header: () => undefined };
  const http = { getRequest: () => request, getResponse: () => response };
  return { getType: () => type, switchToHttp: () => http } as unknown as ExecutionContext;
}

describe('guardedRequestOf', () => {
  it.each([
    ['Express', (message: object) => message],
    ['Fastify', (message: object) => ({ raw: message })],
  ])('returns every value of a header on %s, independent of the case of its name', (_adapter, wrap) => {
    const rawHeaders = ['Host', 'x', 'AUTHORIZATION', 'Basic a', 'authorization', 'Basic b'];
    const message = { rawHeaders, headers: { host: 'x', authorization: 'Basic a' } };
    const request = guardedRequestOf(contextOf(wrap(message)));
    expect(request.headerValues('Authorization')).toEqual(['Basic a', 'Basic b']);
    expect(request.headerValues('host')).toEqual(['x']);
    expect(request.headerValues('cookie')).toEqual([]);
  });

  it.each([
    ['missing', {}],
    ['empty', { rawHeaders: [] }],
  ])('reads the parsed headers if the raw headers are %s', (_what, raw) => {
    const message = { ...raw, headers: { authorization: 'Basic a', cookie: ['a=1', 'b=2'] } };
    const request = guardedRequestOf(contextOf(message));
    expect(request.headerValues('authorization')).toEqual(['Basic a']);
    expect(request.headerValues('Cookie')).toEqual(['a=1', 'b=2']);
  });

  it('returns the same object to all guards and decorators of one request', () => {
    const message = { rawHeaders: [], headers: {}, ip: '::1' };
    expect(guardedRequestOf(contextOf(message))).toBe(guardedRequestOf(contextOf(message)));
    expect(guardedRequestOf(contextOf(message)).source).toBe('::1');
  });

  it.each(['ws', 'rpc', 'graphql', 'unknown'])('rejects the transport %s', (type) => {
    expect(() => guardedRequestOf(contextOf({}, type))).toThrow(ForbiddenException);
  });
});
