import { describe, expect, test } from '@jest/globals';
import { DistributedSessionManager } from 'nestjs-distributed-session';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { HOUR_MS, useFeedPair } from '../support/postgres/feed-pair.js';

const feed = useFeedPair();

/** Sets the clock that the storage's functions read. */
async function stepClock(stepMs: number): Promise<void> {
  await feed.asOwner(`CREATE OR REPLACE FUNCTION distributed_now_ms() RETURNS bigint LANGUAGE sql VOLATILE AS
    'SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint + ${stepMs}'`);
}

describe('a step of the server clock', () => {
  test.each([
    ['back by an hour', -HOUR_MS],
    ['forward by an hour', HOUR_MS],
    ['back by three hours', -3 * HOUR_MS],
    ['forward by three hours', 3 * HOUR_MS],
  ])('%s delays no change, and a revoked service is refused by every process', async (_name, stepMs) => {
    const { storage, witness } = feed.pair;
    const managers = [storage, witness].map((each) => new DistributedSessionManager({ serviceId: 'm', storage: each }));
    const [here, there] = managers as [DistributedSessionManager, DistributedSessionManager];
    await Promise.all(managers.map(async (manager) => manager.connect()));
    try {
      const { secret } = await here.registerService({
        serviceId: 'orders',
        serviceName: 'Orders',
        permissions: ['session.read'],
      });
      await eventually(() => feed.received.some(({ type }) => type === 'service.changed'));
      await here.verifyService('orders', secret);
      await feed.expectDelivery('grace');
      await stepClock(stepMs);
      await feed.expectDelivery('heidi');
      await there.revokeService('orders');
      await eventually(async () =>
        here.verifyService('orders', secret).then(
          () => false,
          () => true,
        ),
      );
      await eventually(() => feed.received.some((entry) => 'change' in entry && entry.change === 'revoked'));
      // The lag is measured, not stuck: it goes down with each heartbeat, and up in between.
      let [beats, last] = [0, 0];
      await eventually(() => {
        const lag = storage.feedLagMs();
        if (lag < last) beats += 1;
        last = lag;
        return beats >= 3;
      });
      expect(storage.feedLagMs()).toBeLessThan(5_000);
      await eventually(() => Math.abs(storage.now() - (Date.now() + stepMs)) < 5_000);
      await stepClock(0);
      await feed.expectDelivery('ivan');
    } finally {
      await Promise.all(managers.map(async (manager) => manager.close()));
    }
  });
});
