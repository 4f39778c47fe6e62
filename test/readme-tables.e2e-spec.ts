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

/** A value in the tables' notation: TypeScript with underscores between thousands. */
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
  // Entries instead of a spread, because the options are a class instance.
  const defaults: Readonly<Record<string, unknown>> = {
    ...Object.fromEntries(Object.entries(new DistributedSessionOptions())),
    idleTimeoutMs,
    absoluteTimeoutMs,
  };

  it('lists exactly the options', () => {
    expect(rows.map(([name = '']) => codeIn(name)[0]!).toSorted()).toEqual(Object.keys(defaults).toSorted());
  });

  it.each(rows.map(([name = '', value = '']) => [codeIn(name)[0]!, value] as const))(
    'gives the default of %s: %s',
    (name, value) => {
      const known = defaults[name] === undefined ? [] : [written(defaults[name])];
      expect(codeIn(value)).toEqual(known);
    },
  );

  it('marks the required options', () => {
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

  it('lists exactly the codes', () => {
    const source = readFileSync(join(LIBRARY, 'src/errors/distributed-session.error.ts'), 'utf8');
    const codes = Array.from(source.matchAll(/^ {2}\| '(ERR_\w+)'/gm), ([, code]) => code);
    expect(codes.length).toBeGreaterThan(0);
    expect(rows.map(({ code }) => code)).toEqual(codes);
  });

  it.each(rows)('maps $code to the status $status', ({ code, status }) => {
    expect(toHttpException(new SomeError(code)).getStatus()).toBe(status);
  });

  it.each(rows)('maps $code to the class $name', async ({ code, name }) => {
    const library = (await import('nestjs-distributed-session')) as Readonly<Record<string, unknown>>;
    const ErrorClass = library[name] as new (...args: unknown[]) => DistributedSessionError;
    expect(new ErrorClass('title', name === 'OptionsError' ? [] : 'reason').code).toBe(code);
  });
});

/** The prototypes of a class and of its superclasses. */
function* prototypesOf({ prototype }: { readonly prototype: object }): Generator<object> {
  for (let type = prototype; type !== Object.prototype; type = Object.getPrototypeOf(type) as object) yield type;
}

describe("the README's table of permissions", () => {
  const rows = tableUnder(readme, 'Permissions').map(([method = '', required = '']) => ({
    method: codeIn(method)[0]!,
    permissions: codeIn(required),
  }));
  const requiring = rows.filter(({ permissions }) => permissions.length > 0);
  let sessions: DistributedSessionManager;

  beforeEach(() => {
    sessions = new DistributedSessionManager({ serviceId: 'main', storage: new InMemorySessionStorage() });
  });

  afterEach(() => sessions.close());

  /** The permission that a call lacks for a service that has only `permissions`. */
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

  it('lists exactly the methods of the manager', () => {
    const methods = Array.from(prototypesOf(DistributedSessionManager))
      .flatMap(Object.getOwnPropertyNames)
      .filter((name) => name !== 'constructor');
    expect(rows.map(({ method }) => method).toSorted()).toEqual(methods.toSorted());
  });

  it('has a test call of every method that requires a permission', () => {
    expect(requiring.map(({ method }) => method).toSorted()).toEqual(Object.keys(MANAGER_CALLS).toSorted());
  });

  it.each(requiring)('$method requires no more than $permissions', async ({ method, permissions }) => {
    expect(await lackedBy(method, permissions)).toBeUndefined();
  });

  it.each(
    requiring.flatMap(({ method, permissions }) =>
      permissions.map((permission) => ({ method, permission, permissions })),
    ),
  )('$method requires $permission', async ({ method, permission, permissions }) => {
    const others = permissions.filter((other) => other !== permission);
    expect((await lackedBy(method, others))?.split(':')[0]).toBe(permission);
  });
});
