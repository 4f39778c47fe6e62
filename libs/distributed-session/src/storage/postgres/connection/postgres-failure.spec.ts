import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { DatabaseError } from 'pg';
import { StorageFullError } from '../../../errors/storage.errors.js';
import { WriteRejectedError } from '../../shared/storage-failure.js';
import { endsConnection, isRetryable, reasonOf, sqlStateOf, toPostgresError } from './postgres-failure.js';

const CANARY = 'CANARY';
const READ = { wasSent: true, isReadOnly: true };
const WRITE = { wasSent: true, isReadOnly: false };
const UNSENT = { wasSent: false, isReadOnly: false };

/** An error of PostgreSQL, as `pg` reports it: with values of the row in several places. */
function serverError(code: string): Error {
  const places = ['detail', 'hint', 'where', 'schema', 'table', 'column', 'constraint', 'query', 'internalQuery'];
  return Object.assign(new DatabaseError(`duplicate key ${CANARY}`, 9, 'error'), {
    ...Object.fromEntries(places.map((place) => [place, `${CANARY} in ${place}`])),
    code,
    severity: 'ERROR',
    cause: new Error(CANARY),
  });
}

function refusalWith(words: string, code = 'XX000'): Error {
  return Object.assign(new DatabaseError(words, 9, 'error'), { code, severity: 'FATAL' });
}

describe('sqlStateOf()', () => {
  it("returns the SQLSTATE of a server's error", () => {
    expect(['40001', '57P01', 'XX000'].map((code) => sqlStateOf(serverError(code)))).toEqual([
      '40001',
      '57P01',
      'XX000',
    ]);
  });

  it.each([
    [undefined],
    [null],
    ['40001'],
    [new Error('40001')],
    [{ code: '40001' }],
    [{ code: 'ECONNREFUSED', severity: 'ERROR' }],
    [{ code: 40_001, severity: 'ERROR' }],
    [{ code: 'EPIPE' }],
  ])('returns undefined for any other error: %p', (error) => {
    expect(sqlStateOf(error)).toBeUndefined();
  });
});

describe('toPostgresError()', () => {
  it.each([
    ['25006', 'ERR_STORAGE_UNAVAILABLE', true, /standby.*address of the primary/u],
    ['42501', 'ERR_STORAGE_UNAVAILABLE', true, /denies its user.*docs\/postgres-grants/u],
    ['53100', 'ERR_STORAGE_UNAVAILABLE', true, /no disk space left/u],
    ['55P03', 'ERR_STORAGE_UNAVAILABLE', false, /timed out waiting for a lock held by another transaction/u],
    ['57014', 'ERR_STORAGE_UNAVAILABLE', false, /at its timeout/u],
    ['53300', 'ERR_STORAGE_UNAVAILABLE', false, /max_connections/u],
    ['57P03', 'ERR_STORAGE_UNAVAILABLE', false, /starting up/u],
    ['42P01', 'ERR_STORAGE_UNAVAILABLE', false, /lacks tables.*run the migrations/u],
    ['42883', 'ERR_STORAGE_UNAVAILABLE', false, /lacks functions.*run the migrations/u],
    ['42703', 'ERR_STORAGE_UNAVAILABLE', false, /lacks columns.*run the migrations/u],
    ['3F000', 'ERR_STORAGE_UNAVAILABLE', false, /lacks the schema.*run the migrations/u],
    ['28P01', 'ERR_STORAGE_UNAVAILABLE', false, /the user or the password/u],
    ['28000', 'ERR_STORAGE_UNAVAILABLE', false, /pg_hba\.conf/u],
    ['3D000', 'ERR_STORAGE_UNAVAILABLE', false, /does not have this database/u],
    ['54000', 'ERR_STORAGE_UNAVAILABLE', false, /too long/u],
    ['53200', 'ERR_STORAGE_UNAVAILABLE', false, /lacks resources/u],
    ['40001', 'ERR_STORAGE_UNAVAILABLE', false, /SQLSTATE 40001/u],
    ['40P01', 'ERR_STORAGE_UNAVAILABLE', false, /SQLSTATE 40P01/u],
    ['23505', 'ERR_STORAGE_UNAVAILABLE', false, /SQLSTATE 23505/u],
    ['P0001', 'ERR_STORAGE_UNAVAILABLE', false, /SQLSTATE P0001/u],
    ['XX001', 'ERR_STORAGE_CORRUPT', false, /SQLSTATE XX001/u],
    ['XX000', 'ERR_STORAGE_CORRUPT', false, /server's log/u],
  ])('maps SQLSTATE %s to %s; only writes are rejected: %s', (state, code, isWriteRejected, says) => {
    for (const statement of [READ, WRITE, UNSENT]) {
      const error = toPostgresError(serverError(state), statement);
      expect(error).toMatchObject({ code, message: expect.stringMatching(says) });
      expect(error instanceof WriteRejectedError).toBe(isWriteRejected);
      expect(error.message).toMatch(/^PostgreSQL .*\.$/u);
    }
  });

  it.each([
    [UNSENT, 'ERR_STORAGE_UNAVAILABLE', 'cannot be reached'],
    [READ, 'ERR_STORAGE_UNAVAILABLE', 'did not respond in time'],
    [WRITE, 'ERR_STORAGE_OUTCOME_UNKNOWN', 'may have been applied'],
  ])('maps a lost reply (%j), also when the server announces its shutdown, to %s', (statement, code, words) => {
    const ends = ['57P01', '57P02', '57P05', '08006', '08P01'].map(serverError);
    for (const error of [...ends, new Error(CANARY), Object.assign(new Error(), { code: 'ECONNRESET' }), undefined]) {
      expect(toPostgresError(error, statement)).toMatchObject({ code, message: expect.stringContaining(words) });
    }
  });

  it('names the code of a connection that failed to open', () => {
    const refused = Object.assign(new Error(CANARY), { code: 'ECONNREFUSED' });
    expect(toPostgresError(refused, UNSENT).message).toContain('(ECONNREFUSED)');
    for (const code of [`${CANARY} with spaces`, 7, '', 'x'.repeat(41)]) expect(reasonOf({ code })).toBe('');
  });

  it.each([
    ['08P01', 'query_wait_timeout', 'ERR_STORAGE_UNAVAILABLE'],
    ['08P01', 'no more connections allowed (max_client_conn)', 'ERR_STORAGE_UNAVAILABLE'],
    ['08P01', 'server conn crashed?', 'ERR_STORAGE_OUTCOME_UNKNOWN'],
  ])('maps the refusal of a pooler (%s, %s) of a write to %s', (state, words, code) => {
    const refusal = refusalWith(words, state);
    expect(toPostgresError(refusal, WRITE)).toMatchObject({ code });
    const message = expect.stringContaining(`("${words}", SQLSTATE ${state})`) as unknown;
    expect(toPostgresError(refusal, UNSENT)).toMatchObject({ code: 'ERR_STORAGE_UNAVAILABLE', message });
    expect(endsConnection(refusal)).toBe(true);
  });

  it('repeats the words of a refused connection only if they are plain', () => {
    expect(toPostgresError(refusalWith('Tenant or user not found'), UNSENT)).toMatchObject({
      code: 'ERR_STORAGE_UNAVAILABLE',
      message: 'PostgreSQL closed the connection ("Tenant or user not found", SQLSTATE XX000).',
    });
    for (const words of [`${CANARY}\n`, `${CANARY}<b>`, CANARY.repeat(30)]) {
      expect(toPostgresError(refusalWith(words), UNSENT).message).not.toContain(CANARY);
    }
  });

  it('returns an error of the library unchanged', () => {
    const full = new StorageFullError(7);
    expect(toPostgresError(full, WRITE)).toBe(full);
  });

  it('carries no message, detail, query, cause or stack of the failure', () => {
    const states = ['25006', '42501', '53100', '55P03', '23505', '22P02', '54000', '57P01', '08006', 'XX001', 'P0001'];
    const failures = [
      ...states.map(serverError),
      Object.assign(new Error(CANARY, { cause: CANARY }), { query: CANARY }),
    ];
    for (const failure of failures) {
      for (const statement of [READ, WRITE, UNSENT]) {
        const error = toPostgresError(failure, statement);
        const shown = [inspect(error, { depth: 9, showHidden: true }), error.stack, JSON.stringify(error)].join('\n');
        expect(shown).not.toContain(CANARY);
        expect(error.cause).toBeUndefined();
      }
    }
  });
});

describe('isRetryable() and endsConnection()', () => {
  it.each([
    ['40001', true, false],
    ['40P01', true, false],
    ['55P03', false, false],
    ['57014', false, false],
    ['23505', false, false],
    ['25006', false, true],
    ['57P01', false, true],
    ['57P02', false, true],
    ['57P03', false, true],
    ['57P05', true, true],
    ['08P01', false, true],
  ])(
    'decide on SQLSTATE %s: the statement is retryable: %s; the connection is closed: %s',
    (state, retryable, ends) => {
      expect([isRetryable(serverError(state)), endsConnection(serverError(state))]).toEqual([retryable, ends]);
    },
  );

  it('repeat a statement on a connection that a pooler closed because it was idle', () => {
    const refusal = refusalWith('client_idle_timeout', '08P01');
    expect([isRetryable(refusal), endsConnection(refusal)]).toEqual([true, true]);
  });

  it('close a connection without a reply, and do not repeat its statement', () => {
    for (const error of [new Error('40001'), undefined]) {
      expect([isRetryable(error), endsConnection(error)]).toEqual([false, true]);
    }
  });
});
