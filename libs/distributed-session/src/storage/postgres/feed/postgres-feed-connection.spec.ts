import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import type { FeedClient } from '../connection/open-feed.js';
import { DIRECT } from '../connection/statement-style.js';
import { PostgresFeedConnection } from './postgres-feed-connection.js';

/** A connection whose replies the test sends. */
class FakeClient extends EventEmitter {
  releases = 0;
  reply: (() => void) | undefined;
  fail: ((error: Error) => void) | undefined;

  async query(): Promise<{ rows: unknown[] }> {
    return new Promise((resolve, reject) => {
      this.reply = () => resolve({ rows: [] });
      this.fail = reject;
    });
  }

  release(): void {
    this.releases++;
    this.fail?.(new Error('Connection terminated'));
  }
}

/** A feed whose connections the test opens. */
class Scene {
  readonly events: string[] = [];
  readonly #waiting: ((client: FeedClient) => void)[] = [];
  readonly feed = new PostgresFeedConnection(
    {
      open: async () => new Promise<FeedClient>((resolve) => this.#waiting.push(resolve)),
      channel: 'ours',
      deadlineMs: 5_000,
    },
    {
      onOpen: () => this.events.push('open'),
      onClose: () => this.events.push('close'),
      onMessage: (payload) => this.events.push(payload),
      onFailure: () => this.events.push('failure'),
    },
  );

  /** Provides the connection that the feed waits for. */
  async connect(): Promise<FakeClient> {
    await eventually(() => this.#waiting.length > 0);
    const client = new FakeClient();
    this.#waiting.shift()!({ client, style: DIRECT });
    return client;
  }

  async listening(): Promise<FakeClient> {
    const client = await this.connect();
    await eventually(() => client.reply !== undefined);
    client.reply!();
    await eventually(() => this.events.at(-1) === 'open');
    return client;
  }
}

describe('PostgresFeedConnection', () => {
  it('receives the messages of its channel, and opens another connection when it is lost', async () => {
    const scene = new Scene();
    void scene.feed.open();
    const first = await scene.listening();
    first.emit('notification', { channel: 'theirs', payload: 'another channel' });
    first.emit('notification', { channel: 'ours', payload: 'one' });
    first.emit('error', new Error('cut'));
    first.emit('end');
    first.emit('notification', { channel: 'ours', payload: 'late' });
    const second = await scene.listening();
    second.emit('notification', { channel: 'ours', payload: 'two' });
    scene.feed.close();
    expect(scene.events).toEqual(['open', 'one', 'close', 'open', 'two']);
    expect([first.releases, second.releases]).toEqual([1, 1]);
  });

  it('releases a connection that opens after close()', async () => {
    const scene = new Scene();
    const opening = scene.feed.open();
    scene.feed.close();
    const client = await scene.connect();
    await eventually(() => client.releases > 0 || client.reply !== undefined);
    client.reply?.();
    await opening;
    expect([client.releases, scene.events]).toEqual([1, []]);
  });

  it('releases its connection once when it is closed or lost before it listens', async () => {
    const scene = new Scene();
    const opening = scene.feed.open();
    const first = await scene.connect();
    await eventually(() => first.reply !== undefined);
    first.emit('end');
    first.fail!(new Error('cut'));
    await opening;
    const second = await scene.connect();
    await eventually(() => second.reply !== undefined);
    scene.feed.close();
    second.reply!();
    await eventually(() => second.releases > 0);
    expect([first.releases, second.releases]).toEqual([1, 1]);
    expect(scene.events).toEqual(['failure']);
  });
});
