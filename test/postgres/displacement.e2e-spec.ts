import { describe, expect, test } from '@jest/globals';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { usePostgresPair } from '../support/postgres/use-postgres-pair.js';
import { created, creation } from '../support/storage/storage-calls.js';

const WAITING = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
/** What `touch()` writes. */
const TOUCH = 'UPDATE distributed_session SET last_accessed_at = last_accessed_at + 1000 WHERE session_id = $1';

const context = usePostgresPair();

describe('a login that ends the least recently used session', () => {
  test.each([
    ['the limit per user', { perLogin: 3 }, {}],
    ['the limit per device', { perLogin: 9, perDevice: 3 }, { device: 'web' }],
  ])('waits for an access in flight, and then respects it, at %s', async (_, maximums, device) => {
    const ids: string[] = [];
    for (let n = 0; n < 3; n++) {
      const login = { ...creation(context.pair.witness, 'bob'), ...device };
      await context.pair.witness.create(login);
      ids.push(login.sessionId);
    }
    const limits = { ...maximums, onLimit: 'end-idlest' } as const;
    await context.server.use(async (client) => {
      await client.query('BEGIN');
      await client.query(TOUCH, [ids[0]]);
      const creating = context.pair.storage.create({ ...creation(context.pair.storage, 'bob'), ...device, limits });
      await eventually(async () => (await context.server.query(WAITING)).length > 0);
      await client.query('COMMIT');
      expect(await creating).toMatchObject({ outcome: 'created' });
    }, context.pair.database);
    const live = (await context.pair.witness.listByLogin('bob')).map(({ sessionId }) => sessionId);
    expect(live).toEqual([ids[0], ids[2], expect.any(String)]);
  });

  test('waits for no row below the limit', async () => {
    const limits = { perLogin: 4, perDevice: 4, onLimit: 'end-idlest' } as const;
    const { sessionId } = await created(context.pair.witness, 'alice');
    for (let n = 0; n < 2; n++) await created(context.pair.witness, 'alice');
    await context.server.use(async (client) => {
      await client.query('BEGIN');
      await client.query(TOUCH, [sessionId]);
      const login = { ...creation(context.pair.storage, 'alice'), device: 'web', limits };
      expect(await context.pair.storage.create(login)).toMatchObject({ outcome: 'created' });
      await client.query('ROLLBACK');
    }, context.pair.database);
    expect(await context.pair.witness.listByLogin('alice')).toHaveLength(4);
  });
});
