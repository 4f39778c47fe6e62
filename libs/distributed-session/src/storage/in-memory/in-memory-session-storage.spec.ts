import { describeSessionStorage } from '../../testing/describe-session-storage.js';
import { FakeClock } from '../../testing/fake-clock.js';
import { InMemorySessionStorage } from './in-memory-session-storage.js';

describeSessionStorage(
  'InMemorySessionStorage',
  () => {
    const clock = new FakeClock();
    return { storage: new InMemorySessionStorage({ clock }), clock };
  },
  { drivenClock: true },
);

describeSessionStorage('InMemorySessionStorage on the clock of the machine', () => ({
  storage: new InMemorySessionStorage(),
}));
