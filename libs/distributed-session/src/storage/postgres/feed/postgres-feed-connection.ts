import type { FeedEvents } from '../../shared/feed-listeners.js';
import { Retries } from '../../shared/retries.js';
import type { FeedClient } from '../connection/open-feed.js';
import { inTime } from '../connection/postgres-connection.js';
import { isStatementLost } from '../connection/postgres-failure.js';
import type { PostgresClient } from '../connection/postgres-pool.js';
import { sendStatement } from '../connection/send-statement.js';
import { limitsOf } from '../connection/statement-style.js';
import type { StatementCall } from '../connection/transaction-query.js';
import type { Row } from '../records/row-reader.js';

interface FeedSettings {
  readonly open: () => Promise<FeedClient>;
  /** The channel to listen on; none for a feed that polls. */
  readonly channel: string | undefined;
  /** The maximum time until the server's reply, in milliseconds. */
  readonly deadlineMs: number;
}

/** A connection that listens on a channel, and reconnects when it is lost. Anyone may send messages on the channel. */
export class PostgresFeedConnection {
  readonly #retries = new Retries(() => void this.open());
  #current: FeedClient | undefined;
  /** Whether a pooler has turned out to share server sessions. */
  #isShared = false;

  constructor(
    private readonly settings: FeedSettings,
    private readonly events: FeedEvents<string>,
  ) {}

  /** Resolves when the connection listens, or when the first attempt has failed: it is retried. */
  async open(): Promise<void> {
    try {
      await this.#connect();
    } catch (error) {
      if (!this.#retries.isClosed) this.events.onFailure(error);
      this.#retries.schedule();
    }
  }

  /** Runs a query on this connection; no rows if there is none. A connection that fails is dropped, and opened again. */
  async query(call: StatementCall): Promise<Row[]> {
    const current = this.#current;
    if (!current) return [];
    try {
      return await this.#query(current, call);
    } catch (error) {
      this.#isShared ||= isStatementLost(error);
      this.#drop(current.client);
      throw error;
    }
  }

  /** Listens again on the same connection. */
  async listen(): Promise<void> {
    // If it fails, the connection is dropped, and opened again.
    const current = this.#current;
    if (!current) return;
    await this.#listen(current).catch((error: unknown) => {
      this.events.onFailure(error);
      this.#drop(current.client);
    });
  }

  close(): void {
    this.#retries.close();
    const current = this.#current;
    this.#current = undefined;
    current?.client.release(true);
  }

  async #connect(): Promise<void> {
    const { open, channel, deadlineMs } = this.settings;
    const opening = open();
    let opened: FeedClient;
    try {
      opened = await inTime(opening, performance.now() + 2 * deadlineMs);
    } catch (error) {
      opening.then(
        (late) => late.client.release(true),
        () => {},
      );
      throw error;
    }
    const { client } = opened;
    if (this.#retries.isClosed) {
      client.release(true);
      return;
    }
    client.on('error', () => this.#drop(client));
    client.on('end', () => this.#drop(client));
    client.on('notification', (message) => {
      if (message.channel === channel && client === this.#current?.client) this.events.onMessage(message.payload ?? '');
    });
    try {
      await this.#listen(opened);
    } catch (error) {
      client.release(true);
      throw error;
    }
    if (this.#retries.isClosed) return client.release(true);
    this.#current = opened;
    this.#retries.succeeded();
    this.events.onOpen();
  }

  async #listen({ client }: FeedClient): Promise<void> {
    const { channel, deadlineMs } = this.settings;
    if (channel !== undefined) {
      await inTime(sendStatement(client, { text: `LISTEN ${channel}` }), performance.now() + deadlineMs);
    }
  }

  async #query({ client, style }: FeedClient, { name, ...call }: StatementCall): Promise<Row[]> {
    const { deadlineMs } = this.settings;
    const named = style.isNamed && !this.#isShared && name !== undefined ? { name, ...call } : call;
    const limits = style.limits === 'transaction' ? limitsOf(deadlineMs) : undefined;
    return inTime(sendStatement(client, named, limits), performance.now() + deadlineMs);
  }

  /** A connection that failed is not used again. */
  #drop(client: PostgresClient | undefined): void {
    if (client === undefined || client !== this.#current?.client) return;
    this.#current = undefined;
    client.release(true);
    this.events.onClose();
    this.#retries.schedule();
  }
}
