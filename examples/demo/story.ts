import { SERVICE_NAMES } from '../registrations.js';
import { HIDDEN } from './expected-answer.js';
import type { Narrator } from './narrator.js';

/** A device that is logged in. */
interface Device {
  readonly name: string;
  readonly sessionId: string;
  readonly credential: string;
}

/** The story of alice and the three services, step by step. The first answer that is not as told ends it. */
export async function tellStory(narrator: Narrator): Promise<void> {
  narrator.step('alice logs in at the user service, on three devices.');
  const web = await logIn(narrator, 'web');
  const mobile = await logIn(narrator, 'mobile');
  const tablet = await logIn(narrator, 'tablet');

  await shareTheSession(narrator, web);
  await keepToPermissions(narrator, web);
  await kickOutTheMobile(narrator, web, mobile);
  await logOutEverywhere(narrator, web, tablet);

  narrator.step('A load balancer asks the three whether they are well.');
  for (const to of SERVICE_NAMES) {
    const body = { status: 'ok', details: { sessions: { status: 'up' } } };
    await narrator.ask({ from: { name: 'balancer' }, method: 'GET', to, path: '/health' }, 200, body);
  }
}

async function logIn(narrator: Narrator, name: string): Promise<Device> {
  const body = { user: 'alice', device: name };
  const expected = { device: name, credential: HIDDEN } as const;
  const request = { from: { name }, method: 'POST', to: 'user', path: '/login', body } as const;
  const { sessionId, credential } = (await narrator.ask(request, 201, expected)) as Device;
  return { name, sessionId, credential };
}

async function shareTheSession(narrator: Narrator, web: Device): Promise<void> {
  const me = { from: web, method: 'GET', to: 'order', path: '/me' } as const;
  const alice = { user: 'alice', device: 'web', role: 'customer' };

  narrator.step('The order service knows her without a login, and reads the role that user wrote.');
  await narrator.ask(me, 200, { ...alice, lastReceipt: null });

  narrator.step('She orders; pay reads the order from her session and writes the receipt; order reads that.');
  const order = { from: web, method: 'POST', to: 'order', path: '/orders', body: { article: 'tea' } } as const;
  await narrator.ask(order, 201, { ordered: 'tea' });
  const receipt = { number: 'R-1', article: 'tea' };
  await narrator.ask({ from: web, method: 'POST', to: 'pay', path: '/payments' }, 201, receipt);
  await narrator.ask(me, 200, { user: 'alice', lastReceipt: receipt });
}

async function keepToPermissions(narrator: Narrator, web: Device): Promise<void> {
  narrator.step('pay tries to change her role. It may write pay.* alone: it is refused, and nothing has changed.');
  const refusal = { code: 'ERR_SERVICE_PERMISSION', permission: 'session.write:role' };
  await narrator.ask({ from: web, method: 'POST', to: 'pay', path: '/upgrades' }, 403, refusal);
  await narrator.ask({ from: web, method: 'GET', to: 'order', path: '/me' }, 200, { user: 'alice', role: 'customer' });
}

async function kickOutTheMobile(narrator: Narrator, web: Device, mobile: Device): Promise<void> {
  const { sessionId, name: device } = mobile;
  const list = { from: web, method: 'GET', to: 'user', path: '/devices' } as const;

  narrator.step('She looks where she is logged in.');
  await narrator.ask(list, 200, [{ device: 'web', isThisOne: true }, { device }, { device: 'tablet' }]);

  narrator.step('Her mobile is gone: she kicks it out. Its next request is refused, and told why.');
  const path = `/devices/${sessionId}`;
  const kickOut = { from: web, method: 'DELETE', to: 'user', path, shownPath: '/devices/{mobile}' } as const;
  await narrator.ask(kickOut, 200, { ended: true });
  await expectEnded(narrator, mobile, 'kicked-out');
  await narrator.ask(list, 200, [{ device: 'web' }, { device: 'tablet' }]);
}

async function logOutEverywhere(narrator: Narrator, web: Device, tablet: Device): Promise<void> {
  narrator.step('She logs out everywhere, and every device is told. When she is back, the history says it all.');
  await narrator.ask({ from: web, method: 'POST', to: 'user', path: '/logout-everywhere' }, 200, { ended: 2 });
  await expectEnded(narrator, web, 'logged-out');
  await expectEnded(narrator, tablet, 'logged-out');

  const from = await logIn(narrator, 'web');
  const by = { endedBy: 'user', actor: 'alice' };
  await narrator.ask({ from, method: 'GET', to: 'user', path: '/history' }, 200, [
    { device: 'web', reason: 'logged-out', ...by },
    { device: 'tablet', reason: 'logged-out', ...by },
    { device: 'mobile', reason: 'kicked-out', ...by },
  ]);
}

async function expectEnded(narrator: Narrator, from: Device, reason: string): Promise<void> {
  await narrator.ask({ from, method: 'GET', to: 'order', path: '/me' }, 401, { code: 'ERR_SESSION_ENDED', reason });
}
