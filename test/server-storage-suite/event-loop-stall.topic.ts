import { beforeEach, describe, expect, test } from '@jest/globals';
import type { SessionRecord, StorageChange } from 'nestjs-distributed-session/storage';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { settle, type SettledCall } from '../support/storage/settled-call.js';
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

    /** Makes calls whose replies arrive while the event loop stalls. Resolves to their outcomes. */
    async function repliedDuringStall(call: () => Promise<SettledCall>[]): Promise<string[]> {
      context.server.freeze();
      const calls = call();
      // Sends all requests; none has a reply yet.
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
      context.server.resume();
      stall();
      return (await Promise.all(calls)).map(({ outcome }) => outcome);
    }

    test('calls with replies that arrive during the stall succeed, and the change feed has no gap', async () => {
      let gaps = 0;
      const unsubscribe = pair.witness.changes(({ type }) => (gaps += type === 'feed.gap' ? 1 : 0));
      const outcomes = await repliedDuringStall(() => [
        ...Object.values(SINGLE_READS).map((read) => settle(() => read(pair.witness, session))),
        ...Array.from({ length: CREATES }, () => settle(() => WRITES.create(pair.witness, session))),
        settle(() => WRITES.replace(pair.witness, session)),
      ]);
      expect(outcomes.filter((outcome) => outcome.startsWith('ERR_'))).toEqual([]);
      expect(await pair.witness.listByLogin(session.loginId)).toHaveLength(1 + CREATES);
      await eventually(() => pair.witness.feedLagMs() < 1_000);
      unsubscribe();
      expect(gaps).toBe(0);
    });

    test('the storage keeps its connections, and its change feed has no gap', async () => {
      // It is connected through a proxy of this process, which stalls too.
      await pair.storage.close();
      try {
        const changes: StorageChange[] = [];
        const unsubscribe = pair.witness.changes((change) => changes.push(change));
        const connections = await context.connections();
        for (let round = 0; round < 2; round++) {
          const calls = () => [settle(() => WRITES.create(pair.witness, session))];
          expect(await repliedDuringStall(calls)).toEqual(['created']);
        }
        await eventually(() => pair.witness.feedLagMs() < 1_000);
        await created(pair.witness, 'last');
        await eventually(() => changes.some((change) => 'loginId' in change && change.loginId === 'last'));
        unsubscribe();
        expect(changes.map(({ type }) => type)).toEqual(Array.from({ length: 3 }, () => 'session.created'));
        // No connection was opened; those of the closed storage may still have been listed.
        expect(connections).toEqual(expect.arrayContaining([...(await context.connections())]));
      } finally {
        await pair.storage.connect();
      }
    });
  });
}
