import { Readable } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import { environmentConfig } from '../config/environment.config.js';
import type { Environment } from '../config/environment.js';
import { RequestError } from '../http/request.error.js';
import type { EventFilter } from './event-filter.js';
import { EventLog } from './event-log.js';
import { eventStream } from './event-stream.js';
import { resumePosition } from './resume-id.js';

const MAX_STREAMS = 1_000;

/** Opens event streams, and knows how many are open. */
@Injectable()
export class EventStreams {
  #open = 0;

  constructor(
    private readonly log: EventLog,
    @Inject(environmentConfig.KEY) private readonly environment: Pick<Environment, 'EVENTS_HEARTBEAT_MS'>,
  ) {}

  get open(): number {
    return this.#open;
  }

  /** A stream for a service, after the event of this id. It ends when the client goes, or with this process. */
  stream(readerId: string, filter: EventFilter, lastEventId: string | undefined): Readable {
    if (this.#open >= MAX_STREAMS) {
      throw new RequestError('ERR_TOO_MANY_STREAMS', `${MAX_STREAMS} event streams are open already.`);
    }
    const from = resumePosition(this.log, lastEventId);
    const gone = new AbortController();
    const heartbeatMs = this.environment.EVENTS_HEARTBEAT_MS;
    const frames = eventStream(this.log, { filter, from, heartbeatMs, readerId, signal: gone.signal });
    this.#open++;
    return Readable.from(endedBy(gone, frames), { objectMode: false }).once('close', () => this.#open--);
  }
}

/** A generator that waits for an event returns after it only: who stops reading wakes it. */
function endedBy(gone: AbortController, frames: AsyncGenerator<string>): AsyncIterable<string> {
  const end = () => {
    gone.abort();
    return frames.return(undefined);
  };
  return { [Symbol.asyncIterator]: () => ({ next: () => frames.next(), return: end }) };
}
