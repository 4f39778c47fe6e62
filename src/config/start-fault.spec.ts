import { describe, expect, it } from '@jest/globals';
import { EnvironmentError } from './environment.error.js';
import { startFault } from './start-fault.js';

function systemError(fields: Readonly<Record<string, unknown>>): Error {
  return Object.assign(new Error('in the words of the system'), fields);
}

describe('why the service does not start', () => {
  it('is every fault of its environment', () => {
    const text = startFault(new EnvironmentError(['PORT must be a number', 'HOST is empty']));
    expect(text).toBe('The session service cannot start:\n  - PORT must be a number.\n  - HOST is empty.');
  });

  it.each([
    ['EADDRINUSE', { address: '127.0.0.1', port: 3000 }, '127.0.0.1:3000 is in use'],
    ['EACCES', { address: '0.0.0.0', port: 80 }, '0.0.0.0:80 may not be listened on'],
    ['EADDRNOTAVAIL', { address: '10.0.0.1', port: 3000 }, '10.0.0.1:3000 is not an address'],
    ['ENOTFOUND', { hostname: 'nowhere.invalid' }, 'nowhere.invalid is not an address'],
  ])('is, for %s, what to set', (code, fields, says) => {
    const text = startFault(systemError({ code, ...fields }));
    expect(text).toContain(`The session service cannot start: ${says}`);
    expect(text).toMatch(/Set (?:PORT|HOST)/);
    expect(text).not.toContain('in the words of the system');
  });

  it('is the stack of what nobody foresaw', () => {
    const error = new TypeError('no such thing');
    expect(startFault(error)).toBe(error.stack);
    expect(startFault('a text')).toBe('a text');
  });
});
