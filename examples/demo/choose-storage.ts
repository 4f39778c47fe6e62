import { InMemorySessionStorage, type SessionStorage } from 'nestjs-distributed-session';
import { DemoUsageError } from './demo-usage.error.js';

/** A storage that can be chosen, for services that hold it themselves and for the session service. */
export interface StorageChoice {
  /** As a sentence of the transcript names it. */
  readonly name: string;
  create(): SessionStorage;
  /** The environment that makes the session service use it. */
  readonly environment: Readonly<Record<string, string>>;
}

/** The storage that the environment asks for. This is the one place that chooses. */
export function chooseStorage({ DEMO_REDIS_URL }: NodeJS.ProcessEnv): StorageChoice {
  if (DEMO_REDIS_URL) {
    throw new DemoUsageError(
      'DEMO_REDIS_URL is set, but this release has no Redis storage yet: unset it to run the demo in memory.',
      1,
    );
  }
  return {
    name: 'an in-memory storage',
    create: () => new InMemorySessionStorage(),
    environment: { SESSION_STORAGE: 'memory' },
  };
}
