import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';

/** One received block of an event stream. */
export interface EventFrame {
  readonly id?: string;
  /** Absent if the block only advances the id. */
  readonly event?: string;
  readonly data?: Readonly<Record<string, unknown>>;
  /** Whether it is a heartbeat. */
  readonly isHeartbeat: boolean;
}

const open = new Set<EventReader>();

/** A client of server-sent events with its own connection. */
export class EventReader {
  /** Everything received. */
  text = '';
  /** Whether the connection has ended. */
  isOver = false;
  readonly #waiting = new Set<() => void>();

  private constructor(private readonly response: IncomingMessage) {
    open.add(this);
    response.setEncoding('utf8');
    response.on('data', (text: string) => {
      this.text += text;
      this.#wake();
    });
    // A reset connection counts as ended, too.
    response.on('error', () => undefined);
    response.once('close', () => {
      this.isOver = true;
      open.delete(this);
      this.#wake();
    });
  }

  /** Connects, and resolves at the first block of the stream, or with the complete body of a refusal. */
  static async open(url: string, headers: Record<string, string>): Promise<EventReader> {
    const sent = request(url, { headers, agent: false }).end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const reader = new EventReader(response);
    await reader.until(({ text, isOver }) => isOver || (response.statusCode === 200 && text.includes('\n\n')));
    return reader;
  }

  get status(): number | undefined {
    return this.response.statusCode;
  }

  /** Whether the server ended the answer properly instead of resetting the connection. */
  get isComplete(): boolean {
    return this.response.complete;
  }

  get headers(): Readonly<Record<string, unknown>> {
    return this.response.headers;
  }

  get frames(): readonly EventFrame[] {
    return this.text.split('\n\n').slice(0, -1).map(parse);
  }

  /** The blocks with an event. */
  get events(): readonly EventFrame[] {
    return this.frames.filter(({ event }) => event !== undefined);
  }

  get types(): readonly (string | undefined)[] {
    return this.events.map(({ event }) => event);
  }

  /** The id that a client sends as `Last-Event-ID` when it reconnects. */
  get lastId(): string {
    return this.frames.findLast(({ id }) => id !== undefined)?.id ?? '';
  }

  /** Resolves once the condition holds; throws if the connection ends first. */
  async until(holds: (reader: this) => boolean): Promise<void> {
    while (!holds(this)) {
      if (this.isOver) throw new Error(`The stream ended too early:\n${this.text}`);
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /** Resolves once this many events have been received. */
  untilEvents(count: number): Promise<void> {
    return this.until(({ events }) => events.length >= count);
  }

  /** Resolves when the stream has ended. */
  untilOver(): Promise<void> {
    return this.until(({ isOver }) => isOver);
  }

  /** Stops reading from the connection, until {@link resume}. */
  pause(): void {
    this.response.pause();
  }

  resume(): void {
    this.response.resume();
  }

  close(): void {
    this.response.destroy();
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

/** Closes every open reader. For `afterEach`. */
export function closeReaders(): void {
  for (const reader of open) reader.close();
}

function parse(block: string): EventFrame {
  const fields = block.split('\n').map((line) => line.split(/: ?(.*)/s) as [string, string]);
  const { id, event, data } = Object.fromEntries(fields) as Partial<Record<string, string>>;
  return {
    ...(id !== undefined && { id }),
    ...(event !== undefined && { event }),
    ...(data !== undefined && { data: JSON.parse(data) as Record<string, unknown> }),
    isHeartbeat: block.startsWith(':'),
  };
}
