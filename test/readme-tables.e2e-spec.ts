import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  DEFAULT_ATTRIBUTE_LIMITS,
  DistributedSessionError,
  type DistributedSessionErrorCode,
  DistributedSessionManager,
  DistributedSessionOptions,
  InMemorySessionStorage,
  ServicePermissionError,
  TIMEOUT_PRESETS,
  toHttpException,
} from 'nestjs-distributed-session';
import { MANAGER_CALLS } from './support/manager-calls.js';
import { codeIn, tableUnder } from './support/markdown.js';
import { LIBRARY } from './support/packed-library.js';

const readme = readFileSync(join(LIBRARY, 'README.md'), 'utf8');

/** A value as the tables write it: as TypeScript, with underscores between thousands. */
function written(value: unknown): string {
  if (typeof value === 'number') return value.toLocaleString('en-US').replaceAll(',', '_');
  if (typeof value === 'string') return `'${value}'`;
  if (Array.isArray(value)) return `[${value.map(written).join(', ')}]`;
  return JSON.stringify(value);
}

describe("the README's table of options", () => {
  const rows = tableUnder(readme, 'Options');
  const { idleTimeoutMs, absoluteTimeoutMs } = TIMEOUT_PRESETS[new DistributedSessionOptions().timeoutPreset] as {
    readonly idleTimeoutMs?: number;
    readonly absoluteTimeoutMs?: number;
  };
  // By entries, not by a spread: the options are an instance of a class.
  const defaults: Readonly<Record<string, unknown>> = {
    ...Object.fromEntries(Object.entries(new DistributedSessionOptions())),
    idleTimeoutMs,
    absoluteTimeoutMs,
  };

  it('lists every option, and nothing else', () => {
    expect(rows.map(([name = '']) => codeIn(name)[0]!).toSorted()).toEqual(Object.keys(defaults).toSorted());
  });

  it.each(rows.map(([name = '', value = '']) => [codeIn(name)[0]!, value] as const))(
    'gives the default of %s: %s',
    (name, value) => {
      const known = defaults[name] === undefined ? [] : [written(defaults[name])];
      expect(codeIn(value)).toEqual(known);
    },
  );

  it('says which options are required', () => {
    const required = rows.filter(([, value]) => value === 'required').map(([name = '']) => codeIn(name)[0]);
    expect(required).toEqual(['serviceId', 'storage']);
  });
});

describe("the README's table of attribute limits", () => {
  it('lists every limit with its default', () => {
    const rows = tableUnder(readme, 'Attributes').map(([name = '', value = '']) => [...codeIn(name), ...codeIn(value)]);
    const known = Object.entries(DEFAULT_ATTRIBUTE_LIMITS).map(([name, value]) => [name, written(value)]);
    expect(rows).toEqual(known);
  });
});

describe("the README's table of errors", () => {
  class SomeError extends DistributedSessionError {
    constructor(readonly code: DistributedSessionErrorCode) {
      super('');
    }
  }

  const rows = tableUnder(readme, 'Errors').map(([code = '', status = '', name = '']) => ({
    code: codeIn(code)[0]! as DistributedSessionErrorCode,
    status: Number(status),
    name: codeIn(name)[0]!,
  }));

  it('lists every code, and nothing else', () => {
    const source = readFileSync(join(LIBRARY, 'src/errors/distributed-session.error.ts'), 'utf8');
    const codes = Array.from(source.matchAll(/^ {2}\| '(ERR_\w+)'/gm), ([, code]) => code);
    expect(codes.length).toBeGreaterThan(0);
    expect(rows.map(({ code }) => code)).toEqual(codes);
  });

  it.each(rows)('$code is answered with $status', ({ code, status }) => {
    expect(toHttpException(new SomeError(code)).getStatus()).toBe(status);
  });

  it.each(rows)('$code is the code of $name', async ({ code, name }) => {
    const library = (await import('nestjs-distributed-session')) as Readonly<Record<string, unknown>>;
    const ErrorClass = library[name] as new (...args: unknown[]) => DistributedSessionError;
    expect(new ErrorClass('title', []).code).toBe(code);
  });
});

/** The prototypes of a class and of its superclasses. */
function* prototypesOf({ prototype }: { readonly prototype: object }): Generator<object> {
  for (let type = prototype; type !== Object.prototype; type = Object.getPrototypeOf(type) as object) yield type;
}

describe("the README's table of permissions", () => {
  const rows = tableUnder(readme, 'Permissions').map(([method = '', asked = '']) => ({
    method: codeIn(method)[0]!,
    permissions: codeIn(asked),
  }));
  const asking = rows.filter(({ permissions }) => permissions.length > 0);
  let sessions: DistributedSessionManager;

  beforeEach(() => {
    sessions = new DistributedSessionManager({ serviceId: 'main', storage: new InMemorySessionStorage() });
  });

  afterEach(() => sessions.close());

  /** The permission that a call lacked, of a service that has only `permissions`. */
  async function lackedBy(method: string, permissions: readonly string[]): Promise<string | undefined> {
    const limited = sessions.as({ serviceId: 'probe', permissions });
    try {
      await MANAGER_CALLS[method]!(limited);
    } catch (error) {
      if (error instanceof ServicePermissionError) return error.permission;
      if (!(error instanceof DistributedSessionError)) throw error;
    }
    return undefined;
  }

  it('lists every method of the manager, and nothing else', () => {
    const methods = Array.from(prototypesOf(DistributedSessionManager))
      .flatMap(Object.getOwnPropertyNames)
      .filter((name) => name !== 'constructor');
    expect(rows.map(({ method }) => method).toSorted()).toEqual(methods.toSorted());
  });

  it('knows a call of every method that asks for something', () => {
    expect(asking.map(({ method }) => method).toSorted()).toEqual(Object.keys(MANAGER_CALLS).toSorted());
  });

  it.each(asking)('$method needs no more than $permissions', async ({ method, permissions }) => {
    expect(await lackedBy(method, permissions)).toBeUndefined();
  });

  it.each(
    asking.flatMap(({ method, permissions }) => permissions.map((permission) => ({ method, permission, permissions }))),
  )('$method needs $permission', async ({ method, permission, permissions }) => {
    const others = permissions.filter((other) => other !== permission);
    expect((await lackedBy(method, others))?.split(':')[0]).toBe(permission);
  });
});
