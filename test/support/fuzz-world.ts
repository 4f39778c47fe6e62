import { randomBytes } from 'node:crypto';
import type { FakeClock } from 'nestjs-distributed-session/testing';
import type { IssuedSession } from 'nestjs-distributed-session';
import { EventLog } from '../../src/events/event-log.js';
import { resumeId } from '../../src/events/resume-id.js';
import { basic, bearer, serviceHeaders } from './credential-headers.js';
import type { RunningService } from './running-service.js';
import type { SentHeaders } from './service-client.js';
import { readable } from './readable-services.js';

const MINUTE = 60_000;
/** Longer than any history is kept. */
const LONG = 25 * 60 * MINUTE;

/** The authenticated callers of every world. */
export interface FuzzCallers {
  readonly everything: SentHeaders;
  readonly limited: SentHeaders;
}

export async function registerCallers(service: RunningService): Promise<FuzzCallers> {
  return {
    everything: await service.register('everything', '*'),
    limited: await service.register('limited', 'session.create', 'session.read:role', 'session.write:order.*'),
  };
}

export interface WorldSnapshot {
  /** The last accesses and the resulting expiry times. */
  readonly times: unknown;
  readonly others: unknown;
}

const PERMANENT = ['admin', 'everything', 'limited'];

/**
 * The data that a run of requests starts with: live, rotated and ended sessions, and services. Worlds follow one another on
 * one service, each after clearing the previous one.
 */
export class FuzzWorld {
  /** Every secret issued in this world. */
  readonly secrets = new Set<string>();
  readonly #known = new Map<string, string>();
  /** All known login ids, because only online users can be listed. */
  readonly #loginIds = new Set<string>();
  #seen: WorldSnapshot | undefined;

  private constructor(
    private readonly service: RunningService,
    private readonly callers: FuzzCallers,
  ) {}

  static async begin(service: RunningService, clock: FakeClock, callers: FuzzCallers): Promise<FuzzWorld> {
    await clear(service);
    clock.advance(LONG);
    const world = new FuzzWorld(service, callers);
    await world.#addSessions(clock);
    await world.#addServices();
    // Makes a recorded touch visible.
    clock.advance(10 * MINUTE);
    await world.look();
    return world;
  }

  /** Replaces names such as `~~sessionId.live~~` in a text by their encoded values. */
  resolve(text: string, written: (value: string) => string = String): string {
    return text.replaceAll(/~~([\w.]+)~~/g, (whole, name: string) => {
      const value = this.#known.get(name);
      return value === undefined ? whole : written(value);
    });
  }

  headersOf(caller: string): SentHeaders {
    const wrong = `dss_${randomBytes(40).toString('base64url')}`;
    const known = (name: string) => this.#known.get(name)!;
    const { everything, limited } = this.callers;
    const headers: Record<string, SentHeaders> = {
      everything,
      limited,
      anonymous: {},
      wrongSecret: basic(known('serviceId.order'), wrong),
      unknownService: basic('unknown', known('secret.order')),
      noBasic: { authorization: 'Basic ~~~' },
      emptyBasic: basic('', ''),
      otherScheme: { authorization: `Digest ${known('secret.order')}` },
      userSession: bearer(known('credential.live')),
      twice: { authorization: [everything['authorization'] as string, everything['authorization'] as string] },
      twoCarriers: { ...everything, ...serviceHeaders(known('serviceId.order'), known('secret.order')) },
      halfOfHeaders: { 'x-service-id': known('serviceId.order') },
    };
    return headers[caller]!;
  }

  /** Remembers the login id in an answer. */
  note(json: unknown): void {
    const { loginId } = Object(json) as { loginId?: unknown };
    if (typeof loginId === 'string') this.#loginIds.add(loginId);
  }

  /** Everything that requests can change: at the previous call, and now. */
  async look(): Promise<[before: WorldSnapshot, after: WorldSnapshot]> {
    const before = this.#seen!;
    this.#seen = await this.#snapshot();
    return [before, this.#seen];
  }

  async #snapshot(): Promise<WorldSnapshot> {
    const { storage } = this.service;
    const online = await onlineIn(this.service);
    const logins = [...new Set([...online, ...this.#loginIds])].toSorted();
    const sessions = (await Promise.all(logins.map((loginId) => storage.listByLogin(loginId)))).flat();
    const services = readable(await storage.services.list());
    return {
      times: sessions.map(({ lastAccessedAt, expiresAt }) => [lastAccessedAt, expiresAt]),
      others: {
        counts: await storage.count(),
        sessions: sessions.map(({ lastAccessedAt, expiresAt, ...session }) => session),
        history: await Promise.all(logins.map((loginId) => storage.listHistory(loginId))),
        services: services.map(({ secrets, ...service }) => ({
          ...service,
          secrets: secrets.map(({ lastUsedAt, ...secret }) => secret),
        })),
      },
    };
  }

  async #addSessions(clock: FakeClock): Promise<void> {
    const { sessions } = this.service;
    const [busy, quiet] = ['busy/\u00fc \u{1f600}', 'quiet'];
    const chosen = `chosen-${randomBytes(24).toString('hex')}`;
    const attributes = Object.fromEntries([
      ['role', 'customer'],
      ['order.total', 7],
      ['__proto__', { a: 1 }],
    ]);
    const live = await sessions.createSession(busy, undefined, { device: 'web', attributes });
    const other = await sessions.createSession(quiet, chosen, { client: { ip: '203.0.113.7', userAgent: 'Firefox' } });
    const ended = await sessions.createSession(busy);
    await sessions.deleteSession(ended.sessionId, { reason: 'kicked-out', actor: 'an-actor' });
    const expired = await sessions.createSession(busy, undefined, { idleTimeoutMs: MINUTE });
    clock.advance(MINUTE);
    const rotated = await sessions.createSession(busy);
    const successor = await sessions.rotateSession(rotated.sessionId);
    for (const [name, session] of Object.entries({ live, other, ended, expired, rotated, successor })) {
      this.#know(`sessionId.${name}`, session.sessionId);
      this.#keepSecrets(name, session);
    }
    this.#know('credential.chosen', other.credential);
    this.#know('credential.wrong', `${live.sessionId}.${randomBytes(32).toString('base64url')}`);
    this.#know('loginId.busy', busy);
    this.#know('loginId.quiet', quiet);
    for (const loginId of [busy, quiet]) this.#loginIds.add(loginId);
    this.#know('etag.current', `"${live.version}"`);
    this.#know('etag.other', '"7"');
    this.#know('cursor.sessions', Buffer.from(`${live.createdAt}.${live.sessionId}`).toString('base64url'));
    this.#know('cursor.logins', (await this.service.storage.listLogins({ limit: 1 })).nextCursor!);
    const log = this.service.app.get(EventLog, { strict: false });
    this.#know('eventId.last', resumeId(log, Math.max(log.end - 2, 0)));
    this.#know('eventId.foreign', '0123456789ab-7');
    // The service remembers idempotency keys across worlds.
    for (const key of ['a', 'b']) this.#know(`idempotencyKey.${key}`, `${key}-${randomBytes(8).toString('hex')}`);
  }

  async #addServices(): Promise<void> {
    const { sessions } = this.service;
    for (const serviceId of ['order', 'pay']) {
      const permissions = ['session.read', `session.write:${serviceId}.*`];
      const { secret, keyId } = await sessions.registerService({ serviceId, serviceName: serviceId, permissions });
      this.#know(`serviceId.${serviceId}`, serviceId);
      this.#know(`keyId.${serviceId}`, keyId);
      this.#know(`secret.${serviceId}`, secret);
      this.secrets.add(secret);
    }
    this.#know('secret.wrong', `dss_${randomBytes(40).toString('base64url')}`);
    const { secret } = await sessions.rotateServiceSecret('pay');
    this.secrets.add(secret);
  }

  #keepSecrets(name: string, { token, credential }: IssuedSession): void {
    this.#know(`token.${name}`, token);
    this.#know(`credential.${name}`, credential);
    this.secrets.add(token);
  }

  #know(name: string, value: string): void {
    this.#known.set(name, value);
  }
}

async function onlineIn({ storage }: RunningService): Promise<string[]> {
  const found: string[] = [];
  for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined; isFirst = false) {
    const page = await storage.listLogins({ limit: 1_000, ...(cursor !== undefined && { cursor }) });
    found.push(...page.logins.map(({ loginId }) => loginId));
    cursor = page.nextCursor;
  }
  return found;
}

async function clear(service: RunningService): Promise<void> {
  const { sessions, storage } = service;
  for (const loginId of await onlineIn(service)) await sessions.deleteAllSessions(loginId);
  const services = (await storage.services.list()).map(({ serviceId }) => serviceId);
  for (const serviceId of services) if (!PERMANENT.includes(serviceId)) await sessions.revokeService(serviceId);
}
