import { beforeEach, describe, expect, test } from '@jest/globals';
import type { SessionRecord } from 'nestjs-distributed-session/storage';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { settle } from '../support/storage/settled-call.js';
import { created, READS, warmUp, WRITES } from '../support/storage/storage-calls.js';
import { openConnections } from './open-connections.js';
import type { ServerStorageContext } from './server-storage-target.js';

/** Longer than the calls' deadline. */
const STALL_MS = 2_000;
const CREATES = 20;
/** Without `listLogins`, which some storages read in several round trips. */
const { listLogins: _listLogins, ...SINGLE_READS } = READS;
const CALLS = Object.keys(SINGLE_READS).length + CREATES + 1;

/** Blocks this process: no timer fires and no reply is read. */
function stall(): void {
  const endsAt = performance.now() + STALL_MS;
  while (performance.now() < endsAt);
}

export function describeEventLoopStall(context: ServerStorageContext): void {
  describe('when the event loop stalls for 2 s', () => {
    // The witness is connected to the server itself: a proxy in this process would stall, too.
    const pair = context.usePair({ deadlineMs: 1_000, heartbeatIntervalMs: 200, callsAtOnce: CALLS });
    let session: SessionRecord;
    let users = 0;

    beforeEach(async () => {
      await warmUp(pair.witness);
      await openConnections(pair.witness, CALLS);
      session = await created(pair.witness, `stall-${(users += 1)}`);
    });

    test('calls with replies that arrive during the stall succeed, and the change feed has no gap', async () => {
      let gaps = 0;
      const unsubscribe = pair.witness.changes(({ type }) => (gaps += type === 'feed.gap' ? 1 : 0));
      context.server.freeze();
      const calls = [
        ...Object.values(SINGLE_READS).map((read) => settle(() => read(pair.witness, session))),
        ...Array.from({ length: CREATES }, () => settle(() => WRITES.create(pair.witness, session))),
        settle(() => WRITES.replace(pair.witness, session)),
      ];
      // Sends all requests; none has a reply yet.
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
      context.server.resume();
      stall();
      const outcomes = (await Promise.all(calls)).map(({ outcome }) => outcome);
      expect(outcomes.filter((outcome) => outcome.startsWith('ERR_'))).toEqual([]);
      expect(await pair.witness.listByLogin(session.loginId)).toHaveLength(1 + CREATES);
      await eventually(() => pair.witness.feedLagMs() < 1_000);
      unsubscribe();
      expect(gaps).toBe(0);
    });
  });
}
