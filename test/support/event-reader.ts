import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';

/** One block of an event stream, as it was received. */
export interface EventFrame {
  readonly id?: string;
  /** Absent where the block only moves the id on. */
  readonly event?: string;
  readonly data?: Readonly<Record<string, unknown>>;
  /** Whether it is a sign of life. */
  readonly isHeartbeat: boolean;
}

const open = new Set<EventReader>();

/** A client of server-sent events on a connection of its own. */
export class EventReader {
  /** Everything received. */
  text = '';
  /** Whether the connection is over. */
  isOver = false;
  readonly #waiting = new Set<() => void>();

  private constructor(private readonly response: IncomingMessage) {
    open.add(this);
    response.setEncoding('utf8');
    response.on('data', (text: string) => {
      this.text += text;
      this.#wake();
    });
    // A cut connection is an end like any other here.
    response.on('error', () => undefined);
    response.once('close', () => {
      this.isOver = true;
      open.delete(this);
      this.#wake();
    });
  }

  /** Connects, and resolves when the head of the answer is there; a refusal has its body then, too. */
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

  /** Whether the server has ended the answer as it should, rather than cut the connection. */
  get isComplete(): boolean {
    return this.response.complete;
  }

  get headers(): Readonly<Record<string, unknown>> {
    return this.response.headers;
  }

  get frames(): readonly EventFrame[] {
    return this.text.split('\n\n').slice(0, -1).map(parse);
  }

  /** The blocks that tell something. */
  get events(): readonly EventFrame[] {
    return this.frames.filter(({ event }) => event !== undefined);
  }

  get types(): readonly (string | undefined)[] {
    return this.events.map(({ event }) => event);
  }

  /** What a client sends as `Last-Event-ID` when it connects again. */
  get lastId(): string {
    return this.frames.findLast(({ id }) => id !== undefined)?.id ?? '';
  }

  /** Resolves once the condition holds; throws if the connection is over before. */
  async until(holds: (reader: this) => boolean): Promise<void> {
    while (!holds(this)) {
      if (this.isOver) throw new Error(`The stream ended before:\n${this.text}`);
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /** Resolves once so many events are there. */
  untilEvents(count: number): Promise<void> {
    return this.until(({ events }) => events.length >= count);
  }

  /** Resolves when the server has ended the stream. */
  untilOver(): Promise<void> {
    return this.until(({ isOver }) => isOver);
  }

  /** Reads no more from the connection, until {@link resume}. */
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

/** Closes every reader that is open. For `afterEach`. */
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
