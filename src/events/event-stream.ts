import type { SessionEvent } from 'nestjs-distributed-session';
import type { EventLog } from './event-log.js';
import type { EventFilter } from './events.dto.js';
import { resumeId } from './resume-id.js';

/** The delay before a client reconnects, in milliseconds. */
const RETRY_MS = 2_000;

export interface EventStreamOptions {
  readonly filter: EventFilter;
  /** The position to start after. */
  readonly position: number;
  /** Whether events before the start were missed. */
  readonly isAfterGap: boolean;
  readonly heartbeatMs: number;
  /** How long the stream may last: at most as long as the credential that opened it. */
  readonly lifetimeMs: number;
  /** The reading service. The stream ends when its credential changes, so that it must authenticate again. */
  readonly readerId: string;
  /** Aborted when the client disconnects. */
  readonly signal: AbortSignal;
}

/**
 * Yields the events as a text/event-stream. Each reader pulls from the log at its own pace, so a slow reader uses no
 * memory. A reader that resumes too late receives `feed.gap`. So does a reader that falls behind the log, and its stream
 * then ends.
 */
export async function* eventStream(log: EventLog, options: EventStreamOptions): AsyncGenerator<string> {
  const { filter, heartbeatMs, lifetimeMs, readerId, signal } = options;
  const openedAt = performance.now();
  let { position } = options;
  // An id without data lets the client resume before the first event, and makes proxies flush.
  yield `retry: ${RETRY_MS}\n${idAlone(log, position)}`;
  if (options.isAfterGap) yield gap(log, position);
  let lastSentAt = openedAt;
  while (!log.isClosed && !signal.aborted) {
    if (!log.isHeldAfter(position)) {
      // The missed events may include a change of the reader's own credential.
      yield gap(log, log.end);
      return;
    }
    const remainingMs = lifetimeMs - (performance.now() - openedAt);
    if (remainingMs <= 0) {
      yield end(log, position);
      return;
    }
    const silentForMs = performance.now() - lastSentAt;
    if (silentForMs >= heartbeatMs) {
      // The new id spares a resuming reader the events that the filter excludes.
      yield `: alive\n${idAlone(log, position)}`;
      lastSentAt = performance.now();
      continue;
    }
    const next = log.firstAfter(position);
    if (!next) {
      await log.waitAfter(position, Math.min(heartbeatMs - silentForMs, remainingMs), signal);
      continue;
    }
    ({ position } = next);
    if (filter(next.event)) {
      yield frame(resumeId(log, position), next.event);
      lastSentAt = performance.now();
    }
    if (invalidatesReader(next.event, readerId)) {
      // A reader that authenticates again and resumes must not receive the same event again.
      yield end(log, position);
      return;
    }
  }
}

/** Returns whether the reader's credential has changed, or may have changed in events that were missed. */
function invalidatesReader(event: SessionEvent, readerId: string): boolean {
  return event.type === 'feed.gap' || (event.type === 'service.changed' && event.serviceId === readerId);
}

function idAlone(log: EventLog, position: number): string {
  return `id: ${resumeId(log, position)}\n\n`;
}

/** Ends a stream that the client may resume, from the last event that it was offered. */
function end(log: EventLog, position: number): string {
  return `: ended, reconnect to continue\n${idAlone(log, position)}`;
}

function gap(log: EventLog, position: number): string {
  return frame(resumeId(log, position), { type: 'feed.gap', at: Date.now() });
}

function frame(id: string, event: SessionEvent): string {
  return `id: ${id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}
