import { afterEach, beforeEach, jest } from '@jest/globals';
import type { StorageChange } from 'nestjs-distributed-session/storage';
import { Administrator } from '../../src/administrator/administrator.js';
import { basic } from './credential-headers.js';
import { send } from './http-request.js';
import { type RunningService, startService, stopServices } from './running-service.js';
import { WatchedStorage } from './watched-storage.js';

export const ADMINISTRATOR_PERMISSIONS = ['*', 'session-service.administrator'];

type Start = (adminSecret: string, variables?: Readonly<Record<string, string>>) => Promise<RunningService>;

export interface AdministratorContext {
  /** The storage of all processes of the current test. */
  readonly storage: WatchedStorage;
  /** The changes that the storage published, since the last restart. */
  readonly changes: StorageChange[];
  /** Starts one more process of the session service with this secret of the administrator; an empty one is not set. */
  readonly start: Start;
  /** Stops all processes and starts one. */
  readonly restart: Start;
}

/** Provides a new storage for each test, and session services on it, which are stopped after the test. */
export function useAdministrator(): AdministratorContext {
  let storage: WatchedStorage;
  const changes: StorageChange[] = [];

  beforeEach(() => {
    storage = new WatchedStorage();
    changes.length = 0;
    storage.changes((change) => changes.push(change));
  });

  afterEach(async () => {
    await stopServices();
    jest.restoreAllMocks();
  });

  const start: Start = (ADMIN_SECRET, variables = {}) =>
    startService({ storage, variables: { ADMIN_SECRET, ...variables } });

  return {
    get storage() {
      return storage;
    },
    changes,
    start,
    restart: async (...given) => {
      await stopServices();
      changes.length = 0;
      return start(...given);
    },
  };
}

/** The HTTP status of a request of the administrator with this secret. */
export async function statusOf({ url }: RunningService, secret: string, serviceId = 'admin'): Promise<number> {
  return (await send(`${url}/v1/counts`, basic(serviceId, secret))).status;
}

/** The secret that the service generated at its start, if none was configured. */
export function generatedBy({ app }: RunningService): string | undefined {
  return app.get(Administrator, { strict: false }).takeGeneratedSecret();
}
