import { Readable } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import { ServiceAuthenticationError, SessionStorage, type VerifiedService } from 'nestjs-distributed-session';
import type { Environment } from '../config/environment.js';
import { environmentConfig } from '../config/read-environment.js';
import { EventLog } from './event-log.js';
import { eventStream } from './event-stream.js';
import type { EventFilter } from './events.dto.js';
import { resumePosition } from './resume-id.js';
import { StreamSlots } from './stream-slots.js';

/** How long a client that does not read may keep its connection after its stream should have ended. */
const CLOSING_MS = 5_000;

/** The part of a connection that a stream uses: a `net.Socket`. */
export interface StreamConnection {
  readonly destroyed: boolean;
  destroy(): unknown;
}

export interface StreamRequest {
  readonly filter: EventFilter;
  readonly lastEventId: string | undefined;
  readonly connection: StreamConnection;
}

/** Opens and counts event streams. */
@Injectable()
export class EventStreams {
  readonly #slots: StreamSlots;

  constructor(
    private readonly log: EventLog,
    private readonly storage: SessionStorage,
    @Inject(environmentConfig.KEY)
    private readonly environment: Pick<
      Environment,
      'EVENTS_HEARTBEAT_MS' | 'EVENTS_MAX_PER_SERVICE' | 'EVENTS_MAX_STREAM_MS'
    >,
  ) {
    this.#slots = new StreamSlots(environment.EVENTS_MAX_PER_SERVICE);
  }

  get open(): number {
    return this.#slots.total;
  }

  /**
   * Opens a service's stream after the event with this id. It ends when the client disconnects, the process stops, the
   * reader's credential changes or expires, or the maximum lifetime is over.
   *
   * @throws {RequestError} when the id is invalid or a limit is reached.
   * @throws {ServiceAuthenticationError} when the reader's credential has changed since it was verified.
   */
  async stream(reader: VerifiedService, { filter, lastEventId, connection }: StreamRequest): Promise<Readable> {
    const { serviceId: readerId, secretEndsAt = Infinity } = reader;
    const from = resumePosition(this.log, lastEventId);
    const free = this.#slots.take(readerId);
    // The log has every later change of the credential, so the check comes second.
    const start = { position: from ?? this.log.end, isAfterGap: from === undefined };
    try {
      await this.#assertCurrent(reader);
    } catch (error) {
      free();
      throw error;
    }
    const gone = new AbortController();
    const lifetimeMs = Math.min(this.environment.EVENTS_MAX_STREAM_MS, secretEndsAt - this.storage.now());
    const heartbeatMs = this.environment.EVENTS_HEARTBEAT_MS;
    const frames = eventStream(this.log, { ...start, filter, heartbeatMs, lifetimeMs, readerId, signal: gone.signal });
    const stream = Readable.from(endedBy(gone, frames), { objectMode: false });
    // A client that does not read would never reach the end.
    const timer = setTimeout(() => connection.destroy(), Math.max(0, lifetimeMs) + CLOSING_MS).unref();
    stream.once('close', () => {
      clearTimeout(timer);
      free();
    });
    if (connection.destroyed) stream.destroy();
    return stream;
  }

  async #assertCurrent({ serviceId, version }: VerifiedService): Promise<void> {
    const service = await this.storage.services.find(serviceId);
    if (service?.version !== version) throw new ServiceAuthenticationError();
  }
}

/** A generator that waits for an event cannot return before it arrives, so the abort signal wakes it. */
function endedBy(gone: AbortController, frames: AsyncGenerator<string>): AsyncIterable<string> {
  const end = () => {
    gone.abort();
    return frames.return(undefined);
  };
  return { [Symbol.asyncIterator]: () => ({ next: () => frames.next(), return: end }) };
}
