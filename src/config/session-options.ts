import type { DistributedSessionModuleOptions } from 'nestjs-distributed-session';
import type { Environment } from './environment.js';
import { createSessionStorage } from './session-storage.js';

/** The options of the library, as the environment sets them. */
export function sessionOptions(environment: Environment): DistributedSessionModuleOptions {
  return {
    serviceId: environment.SERVICE_ID,
    storage: createSessionStorage(environment),
    timeoutPreset: environment.SESSION_TIMEOUT_PRESET,
    idleTimeoutMs: environment.SESSION_IDLE_TIMEOUT_MS,
    absoluteTimeoutMs: environment.SESSION_ABSOLUTE_TIMEOUT_MS,
    maxSessionsPerLogin: environment.SESSION_MAX_PER_LOGIN,
    maxSessionsPerDevice: environment.SESSION_MAX_PER_DEVICE,
    onLimit: environment.SESSION_ON_LIMIT,
    rotationGraceMs: environment.SESSION_ROTATION_GRACE_MS,
    historyRetentionMs: environment.SESSION_HISTORY_RETENTION_MS,
    secretPepper: environment.SECRET_PEPPER,
  };
}
