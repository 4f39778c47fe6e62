import * as fc from 'fast-check';
import { endAll, list, listHistory } from './login-steps.js';
import type { SessionModel } from './session-model.js';
import * as steps from './session-steps.js';

type Command = fc.AsyncCommand<SessionModel, steps.RealSessions>;

const session = fc.nat(20);
const login = fc.constantFrom(0, 0, 1);
const key = fc.constantFrom('role', 'order.total', '__proto__');
const keys = fc.uniqueArray(key, { minLength: 1 });
const value = fc.constantFrom<unknown>(null, 0, 'x', [1, { a: 'b' }], { deep: {} });
const attributes = fc.dictionary(key, value);
const device = fc.option(fc.constantFrom('web', 'phone'), { nil: undefined });
const reason = fc.constantFrom('logged-out', 'kicked-out', 'replaced', 'revoked');
const except = fc.option(session, { nil: undefined });

/** Sequences of operations on the sessions of two users. */
export const sessionCommands = fc.commands<SessionModel, steps.RealSessions, false>(
  [
    ...Array.from({ length: 4 }, () => always('create', steps.create, login, device, attributes)),
    onSession('read', steps.read, session),
    onSession('refresh', steps.refresh, session),
    onSession('set', steps.set, session, key, value),
    onSession('remove', steps.remove, session, key),
    onSession('patch', steps.patch, session, attributes, keys),
    onSession('replace', steps.replace, session, attributes, fc.constantFrom(0, 0, -1, 1)),
    onSession('setAtOnce', steps.setAtOnce, session, fc.uniqueArray(key, { minLength: 2 })),
    onSession('rotate', steps.rotate, session),
    onSession('end', steps.end, session, reason),
    onSession('verify', steps.verify, session, fc.boolean()),
    onSession('endAll', endAll, login, except, device, reason),
    always('list', list, login),
    always('listHistory', listHistory, login),
    always('wait', wait, fc.constantFrom(1, 6_000, 11_000)),
  ],
  { maxCommands: 40, size: 'max' },
);

async function wait({ real }: steps.Compared, milliseconds: number): Promise<void> {
  real.clock.advance(milliseconds);
}

type Step<Arguments extends unknown[]> = (compared: steps.Compared, ...given: Arguments) => Promise<void>;
type Made<Arguments extends unknown[]> = { [Index in keyof Arguments]: fc.Arbitrary<Arguments[Index]> };

function always<Arguments extends unknown[]>(
  name: string,
  step: Step<Arguments>,
  ...made: Made<Arguments>
): fc.Arbitrary<Command> {
  return fc.tuple<Arguments>(...made).map((given) => ({
    check: () => true,
    run: (model, real) => step({ model, real }, ...given),
    toString: () => `${name}(${given.map((one) => fc.stringify(one)).join(', ')})`,
  }));
}

/** A step that requires a session. */
function onSession<Arguments extends unknown[]>(
  name: string,
  step: Step<Arguments>,
  ...made: Made<Arguments>
): fc.Arbitrary<Command> {
  return always(name, step, ...made).map((command) => Object.assign(command, { check: hasSession }));
}

function hasSession({ sessions }: Readonly<SessionModel>): boolean {
  return sessions.length > 0;
}
