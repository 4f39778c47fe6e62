import { describe, expect, it } from '@jest/globals';
import { addressOf } from './listening-address.js';

const resolvingTo = (address: string) => () => Promise.resolve({ address });

describe('addressOf()', () => {
  it('resolves a name to the address to listen on', async () => {
    expect(await addressOf({ host: 'localhost', isProduction: false }, resolvingTo('::1'))).toBe('::1');
    expect(await addressOf({ host: 'sessions.test', isProduction: true }, resolvingTo('10.0.0.1'))).toBe('10.0.0.1');
    expect(await addressOf({ host: '127.0.0.1', isProduction: false })).toBe('127.0.0.1');
  });

  it('rejects a name that resolves to an address of other machines, unless the rules of production apply', async () => {
    for (const address of ['10.0.0.1', '0.0.0.0', '::']) {
      const resolved = addressOf({ host: 'localhost', isProduction: false }, resolvingTo(address));
      await expect(resolved).rejects.toThrow(
        /HOST=localhost resolves to .*set HOST to 127.0.0.1 to run in development/,
      );
    }
  });
});
