import { SERVICE_NAMES } from '../services.js';
import { HIDDEN, type ScenarioRunner } from './scenario-runner.js';

/** A device that is logged in. */
interface Device {
  readonly name: string;
  readonly sessionId: string;
  readonly credential: string;
}

/** Plays alice's requests to the three services, step by step. The first unexpected response ends it. */
export async function playScenario(runner: ScenarioRunner): Promise<void> {
  runner.step('alice logs in at the user service, on three devices.');
  const web = await logIn(runner, 'web');
  const mobile = await logIn(runner, 'mobile');
  const tablet = await logIn(runner, 'tablet');

  await shareTheSession(runner, web);
  await keepToPermissions(runner, web);
  await kickOutTheMobile(runner, web, mobile);
  await logOutEverywhere(runner, web, tablet);

  runner.step('A load balancer checks the health of the three services.');
  for (const to of SERVICE_NAMES) {
    const body = { status: 'ok', details: { sessions: { status: 'up' } } };
    await runner.send({ from: { name: 'balancer' }, method: 'GET', to, path: '/health' }, 200, body);
  }
}

async function logIn(runner: ScenarioRunner, name: string): Promise<Device> {
  const body = { user: 'alice', device: name };
  const expected = { device: name, credential: HIDDEN } as const;
  const request = { from: { name }, method: 'POST', to: 'user', path: '/login', body } as const;
  const { sessionId, credential } = (await runner.send(request, 201, expected)) as Device;
  return { name, sessionId, credential };
}

async function shareTheSession(runner: ScenarioRunner, web: Device): Promise<void> {
  const me = { from: web, method: 'GET', to: 'order', path: '/me' } as const;
  const alice = { user: 'alice', device: 'web', role: 'customer' };

  runner.step('The order service knows her without another login, and reads the role that user wrote.');
  await runner.send(me, 200, { ...alice, lastReceipt: null });

  runner.step('She orders; pay reads the order from her session and writes a receipt, which order reads.');
  const order = { from: web, method: 'POST', to: 'order', path: '/orders', body: { article: 'tea' } } as const;
  await runner.send(order, 201, { ordered: 'tea' });
  const receipt = { number: 'R-1', article: 'tea' };
  await runner.send({ from: web, method: 'POST', to: 'pay', path: '/payments' }, 201, receipt);
  await runner.send(me, 200, { user: 'alice', lastReceipt: receipt });
}

async function keepToPermissions(runner: ScenarioRunner, web: Device): Promise<void> {
  runner.step('pay tries to change her role. It may write pay.* only: the write is rejected and changes nothing.');
  const refusal = { code: 'ERR_SERVICE_PERMISSION', permission: 'session.write:role' };
  await runner.send({ from: web, method: 'POST', to: 'pay', path: '/upgrades' }, 403, refusal);
  await runner.send({ from: web, method: 'GET', to: 'order', path: '/me' }, 200, { user: 'alice', role: 'customer' });
}

async function kickOutTheMobile(runner: ScenarioRunner, web: Device, mobile: Device): Promise<void> {
  const { sessionId, name: device } = mobile;
  const list = { from: web, method: 'GET', to: 'user', path: '/devices' } as const;

  runner.step('She lists her devices.');
  await runner.send(list, 200, [{ device: 'web', isThisOne: true }, { device }, { device: 'tablet' }]);

  runner.step('She has lost her mobile and kicks it out. Its next request is rejected, with the reason.');
  const path = `/devices/${sessionId}`;
  const kickOut = { from: web, method: 'DELETE', to: 'user', path, shownPath: '/devices/{mobile}' } as const;
  await runner.send(kickOut, 200, { ended: true });
  await expectEnded(runner, mobile, 'kicked-out');
  await runner.send(list, 200, [{ device: 'web' }, { device: 'tablet' }]);
}

async function logOutEverywhere(runner: ScenarioRunner, web: Device, tablet: Device): Promise<void> {
  runner.step(
    'She logs out everywhere, and every device receives the reason. After the next login, she sees the history.',
  );
  await runner.send({ from: web, method: 'POST', to: 'user', path: '/logout-everywhere' }, 200, { ended: 2 });
  await expectEnded(runner, web, 'logged-out');
  await expectEnded(runner, tablet, 'logged-out');

  const from = await logIn(runner, 'web');
  const by = { endedBy: 'user', actor: 'alice' };
  await runner.send({ from, method: 'GET', to: 'user', path: '/history' }, 200, [
    { device: 'web', reason: 'logged-out', ...by },
    { device: 'tablet', reason: 'logged-out', ...by },
    { device: 'mobile', reason: 'kicked-out', ...by },
  ]);
}

async function expectEnded(runner: ScenarioRunner, from: Device, reason: string): Promise<void> {
  await runner.send({ from, method: 'GET', to: 'order', path: '/me' }, 401, { code: 'ERR_SESSION_ENDED', reason });
}
