import type { OpenAPIObject } from '@nestjs/swagger';
import { type PermissionRequirement, SESSION_PERMISSIONS } from 'nestjs-distributed-session';
import { PERMISSIONS_EXTENSION } from '../../src/openapi/operation.decorator.js';
import type { RunningService } from './running-service.js';

/** An operation of the session service, as its own OpenAPI document has it. */
export interface ServiceOperation {
  readonly operationId: string;
  readonly method: string;
  /** With its parameters in braces, such as `/v1/sessions/{sessionId}`. */
  readonly path: string;
  /** What it asks for, all of it; `undefined` where it asks for no caller. */
  readonly requirements: readonly PermissionRequirement[] | undefined;
}

export function operationsOf({ paths }: OpenAPIObject): ServiceOperation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods as Record<string, Record<string, unknown>>).map(([method, operation]) => ({
      operationId: operation['operationId'] as string,
      method: method.toUpperCase(),
      path,
      requirements: operation[PERMISSIONS_EXTENSION] as PermissionRequirement[] | undefined,
    })),
  );
}

/** Every permission there is, alone: by name, narrowed to attributes, by a wildcard, and none. */
export const SINGLE_PERMISSIONS = [
  ...SESSION_PERMISSIONS,
  'session.read:cart.*',
  'session.write:cart.*',
  'session.*',
  '*',
  undefined,
];

/** The first permission that is asked for and not granted by the one that is held. */
export function missingPermission(
  requirements: readonly PermissionRequirement[],
  held: string | undefined,
): string | undefined {
  const isGranted = ({ permission, partly }: PermissionRequirement): boolean => {
    if (held === '*' || held === permission) return true;
    if (held === 'session.*') return permission.startsWith('session.');
    return partly && held === `${permission}:cart.*`;
  };
  return requirements.find((requirement) => !isGranted(requirement))?.permission;
}

/** A request that an operation carries out for who may, and what no answer to it may hold. */
export interface OperationRequest {
  /** The method and the path, as a client takes them. */
  readonly line: string;
  readonly body?: object;
  readonly headers: Record<string, string>;
  /** The secrets of the session and of the service that it is about. */
  readonly secrets: readonly string[];
}

const BODIES: Readonly<Record<string, object>> = {
  createSession: { loginId: 'bob' },
  replaceSession: { attributes: { 'cart.total': 6 } },
  patchAttributes: { set: { 'cart.total': 6 }, remove: ['cart.none'] },
  setAttribute: { value: 6 },
  rotateServiceSecret: { overlapMs: 0 },
};

let targets = 0;

/** A well-formed request of an operation, about a session and a service of its own, so that no other is in its way. */
export async function requestOf(
  { operationId, method, path }: Pick<ServiceOperation, 'operationId' | 'method' | 'path'>,
  { sessions }: Pick<RunningService, 'sessions'>,
): Promise<OperationRequest> {
  const serviceId = `target-${++targets}`;
  const attributes = { 'cart.total': 5 };
  const { sessionId, credential, token } = await sessions.createSession(serviceId, undefined, { attributes });
  const { secret, keyId } = await sessions.registerService({ serviceId, serviceName: 'Target', permissions: [] });
  const parameters: Record<string, string> = { sessionId, serviceId, keyId, loginId: serviceId, key: 'cart.total' };
  const bodies: Readonly<Record<string, object>> = {
    ...BODIES,
    verifySession: { credential },
    verifyService: { secret },
    registerService: { serviceId: `new-${serviceId}`, serviceName: 'New', permissions: [] },
  };
  return {
    line: `${method} ${path.replaceAll(/\{(\w+)\}/g, (_, name: string) => parameters[name]!)}`,
    body: bodies[operationId],
    headers: operationId === 'replaceSession' ? { 'if-match': '"1"' } : {},
    secrets: [token, secret],
  };
}
