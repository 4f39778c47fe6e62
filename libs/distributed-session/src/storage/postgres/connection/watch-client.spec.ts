import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import type { PostgresClient } from './postgres-pool.js';
import { watchClient } from './watch-client.js';

describe('watchClient()', () => {
  it('counts warnings in any language, and no other notices', () => {
    const client = new EventEmitter();
    const watched = watchClient(client as unknown as PostgresClient);
    for (const notice of [
      { severity: 'WARNING', code: '01000' },
      { severity: 'WARNUNG', code: '01000' },
      { severity: 'ПРЕДУПРЕЖДЕНИЕ', code: '57P01' },
      { severity: 'NOTICE', code: '00000' },
      { severity: 'HINWEIS', code: '00000' },
    ]) {
      client.emit('notice', notice);
    }
    expect(watchClient(client as unknown as PostgresClient)).toBe(watched);
    expect(watched.warnings).toBe(3);
  });
});
