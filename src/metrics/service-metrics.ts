import { Injectable } from '@nestjs/common';
import { DistributedSessionManager, SessionStorage } from 'nestjs-distributed-session';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { EventStreams } from '../events/event-streams.js';
import type { CompletedRequest } from '../http/request-context.js';

const PREFIX = 'session_service_';
/** In seconds: from an immediate read to a call that reaches its deadline. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const INVALID_CREDENTIAL = ['ERR_SESSION_NOT_FOUND', 'ERR_SESSION_ENDED', 'ERR_SESSION_INPUT'];

/** The service's Prometheus metrics. Labels are operations and codes, never ids or values. */
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
      help: 'Requests by operation and outcome: ok, or the code of the problem.',
      labelNames: ['operation', 'outcome'],
      buckets: BUCKETS,
      registers,
    });
    this.#failures = new Counter({
      name: `${PREFIX}verification_failures_total`,
      help: 'Failed verifications of service and session credentials.',
      labelNames: ['subject'],
      registers,
    });
    this.#measureOnline = this.#addOnline(sessions, registers);
    this.#addTouches(sessions, registers);
    this.#addGauge('feed_lag_seconds', 'How far the change feed may lag behind.', () => storage.feedLagMs() / 1_000);
    this.#addGauge('event_streams', 'Open event streams.', () => streams.open);
  }

  /** Records a completed request. */
  observe({ operation = 'none', code, status, milliseconds }: CompletedRequest): void {
    const outcome = code ?? (status < 400 ? 'ok' : String(status));
    this.#operations.observe({ operation, outcome }, milliseconds / 1_000);
    if (code === 'ERR_SERVICE_AUTHENTICATION') this.#failures.inc({ subject: 'service' });
    const isInvalidSession = operation === 'verifySession' && code !== undefined && INVALID_CREDENTIAL.includes(code);
    if (isInvalidSession) this.#failures.inc({ subject: 'session' });
  }

  /** Returns all metrics in the Prometheus text format. */
  async text(): Promise<string> {
    // Several gauges share one call to the storage, so it is made before they are collected.
    await this.#measureOnline();
    return this.#registry.metrics();
  }

  #addGauge(name: string, help: string, read: () => number): void {
    const collect = (): void => gauge.set(read());
    const gauge: Gauge = new Gauge({ name: PREFIX + name, help, registers: [this.#registry], collect });
  }

  /** The counts are NaN while the storage is not available. */
  #addOnline(sessions: DistributedSessionManager, registers: Registry[]): () => Promise<void> {
    const live = new Gauge({ name: `${PREFIX}sessions_online`, help: 'Live sessions.', registers });
    const logins = new Gauge({ name: `${PREFIX}logins_online`, help: 'Users with a live session.', registers });
    const up = new Gauge({ name: `${PREFIX}storage_up`, help: 'Whether the storage is available.', registers });
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
      help: 'Session touches by result: written, coalesced with another touch, dropped, or failed.',
      labelNames: ['result'],
      registers,
      collect,
    });
  }
}
