import type { FeedEvents } from '../../shared/feed-listeners.js';
import { Retries } from '../../shared/retries.js';
import { type PostgresClient, type PostgresQuery, AS_TEXT } from '../connection/postgres-pool.js';
import { inTime } from '../connection/postgres-connection.js';
import type { Row } from '../records/row-reader.js';

interface FeedSettings {
  readonly open: () => Promise<PostgresClient>;
  readonly channel: string;
  /** The maximum time until the server's reply, in milliseconds. */
  readonly deadlineMs: number;
}

/** A connection that listens on a channel, and reconnects when it is lost. Anyone may send messages on the channel. */
export class PostgresFeedConnection {
  readonly #retries = new Retries(() => void this.open());
  #client: PostgresClient | undefined;

  constructor(
    private readonly settings: FeedSettings,
    private readonly events: FeedEvents<string>,
  ) {}

  /** Resolves when the connection listens, or when the first attempt has failed: it is retried. */
  async open(): Promise<void> {
    try {
      await this.#connect();
    } catch {
      // Statements report what is wrong, and the feed's lag shows the rest.
      this.#retries.schedule();
    }
  }

  /** Runs a query on this connection; no rows if there is none. A connection that fails is dropped, and opened again. */
  async query(query: Pick<PostgresQuery, 'name' | 'text' | 'values'>): Promise<Row[]> {
    const client = this.#client;
    if (!client) return [];
    try {
      return await this.#query(client, query);
    } catch (error) {
      this.#drop(client);
      throw error;
    }
  }

  /** Listens again on the same connection. */
  async listen(): Promise<void> {
    // If it fails, the connection is dropped, and opened again.
    await this.query({ text: `LISTEN ${this.settings.channel}` }).catch(() => {});
  }

  close(): void {
    this.#retries.close();
    const client = this.#client;
    this.#client = undefined;
    client?.release(true);
  }

  async #connect(): Promise<void> {
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
    if (this.#retries.isClosed) {
      client.release(true);
      return;
    }
    client.on('error', () => this.#drop(client));
    client.on('end', () => this.#drop(client));
    client.on('notification', (message) => {
      if (message.channel === channel && client === this.#client) this.events.onMessage(message.payload ?? '');
    });
    try {
      await this.#query(client, { text: `LISTEN ${channel}` });
    } catch (error) {
      client.release(true);
      throw error;
    }
    if (this.#retries.isClosed) return client.release(true);
    this.#client = client;
    this.#retries.succeeded();
    this.events.onOpen();
  }

  async #query(client: PostgresClient, query: Pick<PostgresQuery, 'name' | 'text' | 'values'>): Promise<Row[]> {
    const reply = client.query({ ...query, rowMode: 'array', types: AS_TEXT });
    return (await inTime(reply, performance.now() + this.settings.deadlineMs)).rows as Row[];
  }

  /** A connection that failed is not used again. */
  #drop(client: PostgresClient): void {
    if (client !== this.#client) return;
    this.#client = undefined;
    client.release(true);
    this.events.onClose();
    this.#retries.schedule();
  }
}
