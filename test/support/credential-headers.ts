import type { SessionCredential } from 'nestjs-distributed-session';

export type RequestHeaders = Record<string, string>;

export function basic(serviceId: string, secret: string): RequestHeaders {
  return { authorization: `Basic ${Buffer.from(`${serviceId}:${secret}`).toString('base64')}` };
}

export function bearer(token: string): RequestHeaders {
  return { authorization: `Bearer ${token}` };
}

export function serviceHeaders(serviceId: string, secret: string): RequestHeaders {
  return { 'x-service-id': serviceId, 'x-service-secret': secret };
}

export function cookie(credential: string, name = '__Host-session'): RequestHeaders {
  return { cookie: `${name}=${credential}` };
}

export function sessionHeaders({ sessionId, token }: SessionCredential): RequestHeaders {
  return { 'x-session-id': sessionId, ...bearer(token) };
}
