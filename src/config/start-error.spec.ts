import { describe, expect, it } from '@jest/globals';
import { EnvironmentError } from './read-environment.js';
import { describeStartError } from './start-error.js';

function systemError(fields: Readonly<Record<string, unknown>>): Error {
  return Object.assign(new Error('a message of the system'), fields);
}

describe('describeStartError()', () => {
  it('lists every environment error', () => {
    const text = describeStartError(new EnvironmentError(['PORT must be a number', 'HOST is empty']));
    expect(text).toBe('The session service cannot start:\n  - PORT must be a number.\n  - HOST is empty.');
  });

  it.each([
    ['EADDRINUSE', { address: '127.0.0.1', port: 3000 }, '127.0.0.1:3000 is already in use'],
    ['EACCES', { address: '0.0.0.0', port: 80 }, '0.0.0.0:80 requires privileges'],
    ['EADDRNOTAVAIL', { address: '10.0.0.1', port: 3000 }, '10.0.0.1:3000 is not an address'],
    ['ENOTFOUND', { hostname: 'nowhere.invalid' }, 'nowhere.invalid is not an address'],
  ])('names the variable to set for %s', (code, fields, reason) => {
    const text = describeStartError(systemError({ code, ...fields }));
    expect(text).toContain(`The session service cannot start: ${reason}`);
    expect(text).toMatch(/Set (?:PORT|HOST)/);
    expect(text).not.toContain('a message of the system');
  });

  it('returns the stack of an unexpected error', () => {
    const error = new TypeError('no such thing');
    expect(describeStartError(error)).toBe(error.stack);
    expect(describeStartError('a text')).toBe('a text');
  });
});
