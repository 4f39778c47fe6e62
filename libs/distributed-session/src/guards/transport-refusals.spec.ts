import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { type ExecutionContext, Logger } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { refuseTransport } from './transport-refusals.js';

const MINUTE = 60_000;

class Orders {
  create() {
    return 'created';
  }

  cancel() {
    return 'cancelled';
  }
}

class OwnGuard {
  readonly name = 'own';
}

class Returns extends Orders {}

function contextOf(method: 'create' | 'cancel', type = 'rpc', owner = Orders): ExecutionContext {
  const handler = Reflect.get(Orders.prototype, method);
  return { getType: () => type, getClass: () => owner, getHandler: () => handler } as unknown as ExecutionContext;
}

function setUp() {
  const warn = jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
  const clock = jest.spyOn(performance, 'now').mockReturnValue(0);
  const lines = () => warn.mock.calls.map(([line]) => String(line));
  return { lines, clock };
}

async function refuse(reflector: Reflector, context = contextOf('create')): Promise<unknown> {
  return refuseTransport(new OwnGuard(), reflector, context).catch((error: unknown) => error);
}

describe('refuseTransport', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('logs one line per handler and minute, and then how many calls were not logged', async () => {
    const { lines, clock } = setUp();
    const reflector = new Reflector();
    for (let call = 0; call < 5; call++) await refuse(reflector);
    await refuse(reflector, contextOf('cancel'));
    clock.mockReturnValue(MINUTE - 1);
    await refuse(reflector);
    clock.mockReturnValue(MINUTE);
    await refuse(reflector);
    clock.mockReturnValue(2 * MINUTE);
    await refuse(reflector);
    const line = 'OwnGuard refused a call of Orders.create over "rpc": it can only judge HTTP requests.';
    expect(lines()).toEqual([
      line,
      line.replace('create', 'cancel'),
      `${line} 5 others were refused since the last line.`,
      line,
    ]);
  });

  it('logs an inherited handler for each class', async () => {
    const { lines } = setUp();
    const reflector = new Reflector();
    await refuse(reflector);
    await refuse(reflector, contextOf('create', 'rpc', Returns));
    expect(lines()).toEqual([expect.stringContaining('Orders.create'), expect.stringContaining('Returns.create')]);
  });

  it('counts for each application separately', async () => {
    const { lines } = setUp();
    await refuse(new Reflector());
    await refuse(new Reflector());
    expect(lines()).toHaveLength(2);
  });

  it('throws a 403 with the code on a transport that no package of Nest answers for', async () => {
    setUp();
    const error = await refuse(new Reflector(), contextOf('create', 'telegram'));
    expect(error).toMatchObject({
      status: 403,
      response: { code: 'ERR_TRANSPORT_NOT_SUPPORTED', transport: 'telegram' },
      extensions: { code: 'ERR_TRANSPORT_NOT_SUPPORTED', transport: 'telegram' },
    });
  });
});
