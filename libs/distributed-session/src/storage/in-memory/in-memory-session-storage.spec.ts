import { FakeClock } from '../../testing/fake-clock.js';
import { describeSessionStorage } from '../../testing/describe-session-storage.js';
import { InMemorySessionStorage } from './in-memory-session-storage.js';

describeSessionStorage(
  'InMemorySessionStorage',
  async () => {
    const clock = new FakeClock();
    const storage = new InMemorySessionStorage({ clock });
    await storage.connect();
    return { storage, clock };
  },
  { drivenClock: true },
);

describeSessionStorage('InMemorySessionStorage on the clock of the machine', async () => {
  const storage = new InMemorySessionStorage();
  await storage.connect();
  return { storage };
});
