import { retryDelay } from '../../shared/retry-delay.js';
import { type PostgresClient, type PostgresQuery, AS_TEXT } from '../connection/postgres-pool.js';
import { inTime } from '../connection/postgres-connection.js';
import type { Row } from '../records/row-reader.js';

/** What happens on the connection of a feed. */
export interface FeedEvents {
  /** The channel is listened to. Whatever was announced before the first time, or while it was cut, was missed. */
  readonly onOpen: () => void;
  readonly onClose: () => void;
  readonly onMessage: (payload: string) => void;
}

interface FeedSettings {
  readonly open: () => Promise<PostgresClient>;
  readonly channel: string;
  /** How long the server may take to answer. */
  readonly deadlineMs: number;
}

/** A connection that listens, and that comes back by itself. */
export class PostgresFeedConnection {
  #client: PostgresClient | undefined;
  #retry: NodeJS.Timeout | undefined;
  #attempts = 0;
  #isClosed = false;

  constructor(
    private readonly settings: FeedSettings,
    private readonly events: FeedEvents,
  ) {}

  /** Resolves when it listens, or the first attempt has failed: further ones follow. */
  async open(): Promise<void> {
    try {
      await this.#listen();
    } catch {
      // The connections for statements report what is wrong; the lag of the feed tells the rest.
      this.#later();
    }
  }

  /** Asks the server over this connection. What was announced before the answer has been heard then. */
  async ask(query: Pick<PostgresQuery, 'name' | 'text' | 'values'>): Promise<Row[]> {
    const client = this.#client;
    if (!client) return [];
    try {
      return await this.#ask(client, query);
    } catch (error) {
      this.#drop(client);
      throw error;
    }
  }

  /** Gives the connection up and opens another: the feed has been silent for too long. */
  renew(): void {
    if (this.#client) this.#drop(this.#client);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    const client = this.#client;
    this.#client = undefined;
    client?.release(true);
  }

  async #listen(): Promise<void> {
    const { open, channel, deadlineMs } = this.settings;
    const opening = open();
    let client: PostgresClient;
    try {
      client = await inTime(opening, performance.now() + 2 * deadlineMs);
    } catch (error) {
      opening.then(
        (late) => late.release(true),
        () => {},
      );
      throw error;
    }
    if (this.#isClosed) {
      client.release(true);
      return;
    }
    client.on('error', () => this.#drop(client));
    client.on('end', () => this.#drop(client));
    client.on('notification', (message) => {
      if (message.channel === channel && client === this.#client) this.events.onMessage(message.payload ?? '');
    });
    try {
      await this.#ask(client, { text: `LISTEN ${channel}` });
    } catch (error) {
      client.release(true);
      throw error;
    }
    if (this.#isClosed) return client.release(true);
    // What is heard before belongs to what was missed: it is not told ahead of the gap.
    this.#client = client;
    this.#attempts = 0;
    this.events.onOpen();
  }

  async #ask(client: PostgresClient, query: Pick<PostgresQuery, 'name' | 'text' | 'values'>): Promise<Row[]> {
    const asked = client.query({ ...query, rowMode: 'array', types: AS_TEXT });
    return (await inTime(asked, performance.now() + this.settings.deadlineMs)).rows as Row[];
  }

  /** A connection that failed is not used again. */
  #drop(client: PostgresClient): void {
    if (client !== this.#client) return;
    this.#client = undefined;
    client.release(true);
    this.events.onClose();
    this.#later();
  }

  #later(): void {
    if (this.#isClosed) return;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.open(), retryDelay(this.#attempts++));
    this.#retry.unref();
  }
}
