/**
 * A process of one version of the library: `node version-worker.js <dist>`, forked with advanced serialization. The first
 * message starts it; each later one calls a method, and is answered under its number.
 *
 * @typedef {{ storage: 'redis' | 'postgres', options: object }} Start
 * @typedef {{ number: number, path: string[], args: unknown[] }} Call
 */
import { pathToFileURL } from 'node:url';

const [, , dist = ''] = process.argv;
/** @param {string} module */
const load = async (module) => import(pathToFileURL(`${dist}/${module}`).href);

const { DistributedSessionManager } = await load('index.js');
/** @type {import('nestjs-distributed-session').DistributedSessionManager | undefined} */
let sessions;
/** @type {unknown} */
let storage;
/** @type {unknown[]} */
const events = [];

process.on('message', (message) => void answer(/** @type {Start | Call} */ (message)));

/** @param {Start | Call} message */
async function answer(message) {
  const number = 'number' in message ? message.number : 0;
  try {
    process.send?.({ number, value: 'number' in message ? await call(message) : await start(message) });
  } catch (error) {
    const { name, code, message: text, reason } = /** @type {Error & { code?: string, reason?: string }} */ (error);
    process.send?.({ number, error: { name, code, message: text, reason } });
  }
}

/** @param {Start} start */
async function start({ storage: kind, options }) {
  const { RedisSessionStorage, PostgresSessionStorage } = await load(`storage/${kind}/index.js`);
  storage = new (RedisSessionStorage ?? PostgresSessionStorage)(options);
  const created = new DistributedSessionManager({ serviceId: 'tests', storage, touchIntervalMs: 1 });
  created.events.all.subscribe((/** @type {unknown} */ event) => void events.push(event));
  await created.connect();
  sessions = created;
}

/** @param {Call} call */
async function call({ path, args }) {
  /** @type {Record<string, unknown>} */
  const roots = { sessions, storage, takeEvents: () => events.splice(0), exit: () => sessions?.close() };
  const names = [...path];
  const method = names.pop() ?? '';
  const target = names.reduce((object, name) => Object(object)[name], /** @type {unknown} */ (roots));
  const result = await Object(target)[method](...args);
  // Secrets are getters, which a message does not contain.
  const { token, credential, secret } = Object(result);
  return (token ?? secret) ? { ...result, token, credential, secret } : result;
}
