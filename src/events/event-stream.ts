import type { SessionEvent } from 'nestjs-distributed-session';
import type { EventFilter } from './event-filter.js';
import type { EventLog } from './event-log.js';
import { resumeId } from './resume-id.js';

/** How long a client waits before it connects again, in milliseconds. */
const RETRY_MS = 2_000;

export interface EventStreamOptions {
  readonly filter: EventFilter;
  /** The position to begin after; `undefined` where events were missed. */
  readonly from: number | undefined;
  readonly heartbeatMs: number;
  /** The service that reads: the stream ends when its credential changes, so that it has to prove itself again. */
  readonly readerId: string;
  /** Says that the client has gone. */
  readonly signal: AbortSignal;
}

/**
 * The events as a text/event-stream. Each reader pulls at its own pace from the log, so a slow one takes no memory; one
 * that resumes too late is told `feed.gap`, as is one that falls behind what is held, whose stream then ends.
 */
export async function* eventStream(log: EventLog, options: EventStreamOptions): AsyncGenerator<string> {
  const { filter, heartbeatMs, readerId, signal } = options;
  let position = options.from ?? log.end;
  // An id without data tells the client where to resume before the first event, and tells proxies to flush.
  yield `retry: ${RETRY_MS}\n${idAlone(log, position)}`;
  if (options.from === undefined) yield gap(log, position);
  let toldAt = performance.now();
  while (!log.isClosed && !signal.aborted) {
    if (!log.isHeldAfter(position)) {
      // Among what was missed may be a change of the reader's own credential.
      yield gap(log, log.end);
      return;
    }
    const silentForMs = performance.now() - toldAt;
    if (silentForMs >= heartbeatMs) {
      // The id moves on, so that who resumes does not go through all that was filtered out.
      yield `: alive\n${idAlone(log, position)}`;
      toldAt = performance.now();
      continue;
    }
    const next = log.firstAfter(position);
    if (!next) {
      await log.waitAfter(position, heartbeatMs - silentForMs, signal);
      continue;
    }
    ({ position } = next);
    if (filter(next.event)) {
      yield frame(resumeId(log, position), next.event);
      toldAt = performance.now();
    }
    if (endsProof(next.event, readerId)) {
      // Who resumes with a new proof must not meet the same end again.
      yield idAlone(log, position);
      return;
    }
  }
}

/** Whether the proof of the reader is no longer good, or that cannot be known because events were missed. */
function endsProof(event: SessionEvent, readerId: string): boolean {
  return event.type === 'feed.gap' || (event.type === 'service.changed' && event.serviceId === readerId);
}

function idAlone(log: EventLog, position: number): string {
  return `id: ${resumeId(log, position)}\n\n`;
}

function gap(log: EventLog, position: number): string {
  return frame(resumeId(log, position), { type: 'feed.gap', at: Date.now() });
}

function frame(id: string, event: SessionEvent): string {
  return `id: ${id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}
