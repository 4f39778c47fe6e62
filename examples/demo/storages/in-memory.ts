import { InMemorySessionStorage } from 'nestjs-distributed-session';
import type { StorageChoice } from './storage-choice.js';

export function inMemory(): StorageChoice {
  return {
    name: 'an in-memory storage',
    create: () => new InMemorySessionStorage(),
    environment: { SESSION_STORAGE: 'memory' },
    clear: async () => {},
  };
}
