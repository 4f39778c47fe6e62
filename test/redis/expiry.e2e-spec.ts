import { describe, expect, test } from '@jest/globals';
import { runExpiry } from '../support/redis/expiry-run.js';

const LIVE = 5_000;
const EXPIRING = 200;

describe('RedisSessionStorage among 5,000 live sessions, with two processes that sweep', () => {
  test('publishes the expiry of each session exactly once', async () => {
    const { due, ended, counts } = await runExpiry({ live: LIVE, expiring: EXPIRING, processes: 2 });
    expect(ended).toHaveLength(EXPIRING);
    expect(new Set(ended.map(({ sessionId }) => sessionId))).toEqual(due);
    expect(counts).toEqual({ sessions: LIVE, logins: LIVE });
  });
});
