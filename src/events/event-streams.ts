import { Readable } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import type { Environment } from '../config/environment.js';
import { environmentConfig } from '../config/read-environment.js';
import { RequestError } from '../http/problem.js';
import { EventLog } from './event-log.js';
import { eventStream } from './event-stream.js';
import type { EventFilter } from './events.dto.js';
import { resumePosition } from './resume-id.js';

const MAX_STREAMS = 1_000;

/** Opens and counts event streams. */
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

  /** Opens a service's stream after the event with this id. It ends when the client disconnects or the process stops. */
  stream(readerId: string, filter: EventFilter, lastEventId: string | undefined): Readable {
    if (this.#open >= MAX_STREAMS) {
      throw new RequestError(
        'ERR_TOO_MANY_STREAMS',
        `The limit of ${MAX_STREAMS} open event streams is reached. Close a stream, or retry later.`,
      );
    }
    const from = resumePosition(this.log, lastEventId);
    const gone = new AbortController();
    const heartbeatMs = this.environment.EVENTS_HEARTBEAT_MS;
    const frames = eventStream(this.log, { filter, from, heartbeatMs, readerId, signal: gone.signal });
    this.#open++;
    return Readable.from(endedBy(gone, frames), { objectMode: false }).once('close', () => this.#open--);
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
