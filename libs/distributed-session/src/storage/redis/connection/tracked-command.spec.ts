import { describe, expect, it } from '@jest/globals';
import { TrackedCommand } from './tracked-command.js';

const PING = '*1\r\n$4\r\nPING\r\n';
const GET = '*2\r\n$3\r\nget\r\n$3\r\nkey\r\n';
const socket = {};

const command = (resendable = false) => new TrackedCommand('get', ['key'], resendable);

/** How the command was settled, or `pending`. */
async function stateOf({ promise }: TrackedCommand): Promise<string> {
  const settled = promise.then(String, (error: Error) => error.message);
  return Promise.race([settled, new Promise<string>((resolve) => setImmediate(resolve, 'pending'))]);
}

describe('TrackedCommand', () => {
  it('counts as sent as soon as a connection has taken it', () => {
    const tracked = command();
    expect(tracked.wasSent).toBe(false);
    expect(tracked.toWritable(socket)).toBe(GET);
    expect(tracked.wasSent).toBe(true);
  });

  it('sends a PING instead of a command that is written after its deadline', async () => {
    const tracked = command();
    tracked.giveUp();
    expect(await stateOf(tracked)).toBe('No reply in time');
    expect(tracked.toWritable(socket)).toBe(PING);
    expect(tracked.wasSent).toBe(false);
  });

  it('rejects a command that is written twice, and sends a PING instead', async () => {
    const tracked = command();
    tracked.toWritable(socket);
    expect(await stateOf(tracked)).toBe('pending');
    expect(tracked.toWritable(socket)).toBe(PING);
    expect(await stateOf(tracked)).toBe('The reply was lost with its connection');
    expect(tracked.wasSent).toBe(true);
  });

  it('may be written again on a cluster until it is settled', async () => {
    const tracked = command(true);
    expect([tracked.toWritable(socket), tracked.toWritable(socket)]).toEqual([GET, GET]);
    tracked.giveUp();
    expect(await stateOf(tracked)).toBe('No reply in time');
    expect(tracked.toWritable(socket)).toBe(PING);
  });

  it('accepts a reply that arrives together with its deadline', async () => {
    const tracked = command();
    tracked.toWritable(socket);
    tracked.giveUp();
    tracked.resolve(Buffer.from('value'));
    expect(await stateOf(tracked)).toBe('value');
    expect(await stateOf(tracked)).toBe('value');
  });

  it('preserves the bytes of its arguments and of its reply', () => {
    const bytes = Buffer.from([0xff, 0x00, 0x0d, 0x0a]);
    const tracked = new TrackedCommand('hset', ['key', 'field', bytes], false);
    const written = Buffer.from(tracked.toWritable(socket));
    expect(written.includes(Buffer.concat([Buffer.from('$4\r\n'), bytes, Buffer.from('\r\n')]))).toBe(true);
    const reply = [Buffer.from('field'), bytes];
    expect(new TrackedCommand('hgetall', ['key'], false).transformReply(reply)).toEqual(reply);
  });

  it('returns numbers and lists although the options of its client change the form of replies', () => {
    const tracked = new TrackedCommand('hgetall', ['key'], false);
    const reply = (raw: unknown) => tracked.transformReply(raw as Buffer[]) as unknown;
    const value = Buffer.from('value');
    expect(reply({ field: value })).toEqual([Buffer.from('field'), value]);
    expect(reply(['17', [value, '1'], null])).toEqual([17, [value, 1], null]);
    expect([reply(17), reply(null), reply(value)]).toEqual([17, null, value]);
  });

  it('sends its values, and shows placeholders to tracers and in errors', () => {
    const values = ['sha', 1, 'key', 'value', Buffer.from([0xff])];
    const shown = ['create', 1, 'key', '?', '?'];
    const tracked = new TrackedCommand('evalsha', values, false, shown);
    const plain = new TrackedCommand('evalsha', values, false);
    expect(tracked.toWritable(socket)).toEqual(plain.toWritable(socket));
    expect([tracked.args, tracked.getKeys()]).toEqual([shown, ['key']]);
  });
});
