import { Injectable } from '@nestjs/common';
import { DistributedSessionManager, SessionStorage } from 'nestjs-distributed-session';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { EventStreams } from '../events/event-streams.js';
import type { SettledRequest } from '../http/request-context.middleware.js';

const PREFIX = 'session_service_';
/** Seconds: from a read served at once to a call that runs into its deadline. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const SESSION_PROOFS = ['ERR_SESSION_NOT_FOUND', 'ERR_SESSION_ENDED', 'ERR_SESSION_INPUT'];

/** What is measured, in the terms of Prometheus. Labels are names of routes and codes, never ids or values. */
@Injectable()
export class ServiceMetrics {
  readonly #registry = new Registry();
  readonly #operations: Histogram<'operation' | 'outcome'>;
  readonly #failures: Counter<'subject'>;
  readonly #measureOnline: () => Promise<void>;

  constructor(sessions: DistributedSessionManager, storage: SessionStorage, streams: EventStreams) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#operations = new Histogram({
      name: `${PREFIX}operation_duration_seconds`,
      help: 'Requests by route and outcome: ok, or the code of the problem.',
      labelNames: ['operation', 'outcome'],
      buckets: BUCKETS,
      registers,
    });
    this.#failures = new Counter({
      name: `${PREFIX}verification_failures_total`,
      help: 'Credentials of services and of sessions that proved nothing.',
      labelNames: ['subject'],
      registers,
    });
    this.#measureOnline = this.#addOnline(sessions, registers);
    this.#addTouches(sessions, registers);
    this.#addGauge('feed_lag_seconds', 'How far the change feed may be behind.', () => storage.feedLagMs() / 1_000);
    this.#addGauge('event_streams', 'Open event streams.', () => streams.open);
  }

  /** Takes a request into account. */
  observe({ operation = 'none', code, status, milliseconds }: SettledRequest): void {
    const outcome = code ?? (status < 400 ? 'ok' : String(status));
    this.#operations.observe({ operation, outcome }, milliseconds / 1_000);
    if (code === 'ERR_SERVICE_AUTHENTICATION') this.#failures.inc({ subject: 'service' });
    const isSessionProof = operation === 'verifySession' && code !== undefined && SESSION_PROOFS.includes(code);
    if (isSessionProof) this.#failures.inc({ subject: 'session' });
  }

  /** Everything in the text format of Prometheus. */
  async text(): Promise<string> {
    // Before anything is collected: what the storage is asked once for is shown by several gauges.
    await this.#measureOnline();
    return this.#registry.metrics();
  }

  #addGauge(name: string, help: string, read: () => number): void {
    const collect = (): void => gauge.set(read());
    const gauge: Gauge = new Gauge({ name: PREFIX + name, help, registers: [this.#registry], collect });
  }

  /** While the storage does not answer, how many are online is not known, and is said so: NaN. */
  #addOnline(sessions: DistributedSessionManager, registers: Registry[]): () => Promise<void> {
    const live = new Gauge({ name: `${PREFIX}sessions_online`, help: 'Live sessions.', registers });
    const logins = new Gauge({ name: `${PREFIX}logins_online`, help: 'Users that have a live session.', registers });
    const up = new Gauge({ name: `${PREFIX}storage_up`, help: 'Whether the storage answers.', registers });
    return async () => {
      const online = await sessions.countOnline().catch(() => undefined);
      live.set(online?.sessions ?? NaN);
      logins.set(online?.logins ?? NaN);
      up.set(online ? 1 : 0);
    };
  }

  #addTouches(sessions: DistributedSessionManager, registers: Registry[]): void {
    const collect = () => {
      touches.reset();
      for (const [result, count] of Object.entries(sessions.touches)) touches.inc({ result }, count);
    };
    const touches = new Counter({
      name: `${PREFIX}touches_total`,
      help: 'Accesses of sessions: written, coalesced with another one, dropped, or failed to be written.',
      labelNames: ['result'],
      registers,
      collect,
    });
  }
}
