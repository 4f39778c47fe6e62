import { describe, expect, it } from '@jest/globals';
import { FeedListeners } from './feed-listeners.js';
import { ServerClock } from './server-clock.js';

const delivered = () => new Promise(setImmediate);

describe('FeedListeners', () => {
  it('publish a gap each time the connection opens again, but not the first time', async () => {
    const feed = new FeedListeners(new ServerClock());
    const types: string[] = [];
    feed.subscribe(({ type }) => types.push(type));
    const opened = [feed.opened()];
    await delivered();
    expect(types).toEqual([]);
    feed.closed();
    opened.push(feed.opened(), feed.opened());
    await delivered();
    expect(types).toEqual(['feed.gap', 'feed.gap']);
    expect(opened).toEqual([false, true, true]);
  });

  it('are open while the connection is', () => {
    const feed = new FeedListeners(new ServerClock());
    const states = [feed.isOpen];
    feed.opened();
    states.push(feed.isOpen);
    feed.closed();
    expect([...states, feed.isOpen]).toEqual([false, true, false]);
  });
});
