import { type PermissionRequirement, SESSION_PERMISSIONS } from 'nestjs-distributed-session';
import type { ApiOperation } from './openapi-operations.js';
import type { RunningService } from './running-service.js';

/** Every permission alone: by name, narrowed to attributes, as a wildcard, and none. */
export const SINGLE_PERMISSIONS = [
  ...SESSION_PERMISSIONS,
  'session.read:cart.*',
  'session.write:cart.*',
  'session.*',
  '*',
  undefined,
];

/** The first required permission that the held one does not grant. */
export function missingPermission(
  requirements: readonly PermissionRequirement[],
  held: string | undefined,
): string | undefined {
  const isGranted = ({ permission, forSomeAttributes }: PermissionRequirement): boolean => {
    if (held === '*' || held === permission) return true;
    if (held === 'session.*') return permission.startsWith('session.');
    return forSomeAttributes && held === `${permission}:cart.*`;
  };
  return requirements.find((requirement) => !isGranted(requirement))?.permission;
}

/** A request that succeeds with the required permissions, and the secrets that no answer to it may contain. */
export interface OperationRequest {
  /** The method and the path. */
  readonly line: string;
  readonly body?: object;
  readonly headers: Record<string, string>;
  /** The secrets of its session and its service. */
  readonly secrets: readonly string[];
}

const BODIES: Readonly<Record<string, object>> = {
  createSession: { loginId: 'bob' },
  replaceSession: { attributes: { 'cart.total': 6 } },
  patchAttributes: { set: { 'cart.total': 6 }, remove: ['cart.none'] },
  setAttribute: { value: 6 },
  rotateSessionById: { actor: 'support@example.com' },
  rotateServiceSecret: { overlapMs: 0 },
};

let targets = 0;

/** Creates a valid request for an operation, with its own session and service, so that requests do not interfere. */
export async function requestOf(
  { operationId, method, path, parameters }: Pick<ApiOperation, 'operationId' | 'method' | 'path' | 'parameters'>,
  { sessions }: Pick<RunningService, 'sessions'>,
): Promise<OperationRequest> {
  const serviceId = `target-${++targets}`;
  const attributes = { 'cart.total': 5 };
  const { sessionId, credential, token } = await sessions.createSession(serviceId, undefined, { attributes });
  const { secret, keyId } = await sessions.registerService({ serviceId, serviceName: 'Target', permissions: [] });
  const values: Record<string, string> = { sessionId, serviceId, keyId, loginId: serviceId, key: 'cart.total' };
  const required = parameters.filter((parameter) => parameter.in === 'query' && parameter.required);
  const query = required.map(({ name }) => `${name}=${values[name]}`).join('&');
  const bodies: Readonly<Record<string, object>> = {
    ...BODIES,
    verifySession: { credential },
    rotateSession: { credential },
    verifyService: { secret },
    registerService: { serviceId: `new-${serviceId}`, serviceName: 'New', permissions: [] },
  };
  return {
    line: `${method} ${path.replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name]!)}${query && `?${query}`}`,
    body: bodies[operationId],
    headers: operationId === 'replaceSession' ? { 'if-match': '"1"' } : {},
    secrets: [token, secret],
  };
}
