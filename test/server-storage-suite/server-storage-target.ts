import type { SessionStorage } from 'nestjs-distributed-session';
import type { TcpTarget } from '@distributed-session/test-servers/proxy/tcp-proxy-connection.js';
import type { TcpDirection } from '@distributed-session/test-servers/proxy/tcp-proxy-faults.js';
import type { StorageOperation } from '../support/storage/storage-calls.js';
import type { StoragePair } from '../support/storage/storage-pair.js';

/** A server that a test can freeze. */
export interface StorageServer extends TcpTarget {
  freeze(): void;
  resume(): void;
  stop(): Promise<void>;
}

export interface StorageOptions {
  readonly deadlineMs?: number;
  readonly connectDeadlineMs?: number;
  readonly heartbeatIntervalMs?: number;
}

export interface PairOptions extends StorageOptions {
  /** How many calls can be in flight at once. */
  readonly callsAtOnce?: number;
}

/** What the suite requires of a storage on a server. */
export interface ServerStorageTarget<Server extends StorageServer = StorageServer> {
  /** Starts a server, by default on a free port. */
  readonly start: (options?: { readonly port?: number }) => Promise<Server>;
  /** Returns a storage on this server, which it reaches at an address. */
  readonly newStorage: (server: Server, address: TcpTarget, options: StorageOptions) => SessionStorage;
  /** Connects a pair with its own data. */
  readonly pair: (server: Server, options: PairOptions) => Promise<StoragePair>;
  /** A text that only the request of this operation contains, among the calls in flight in a test. */
  readonly requestOf: (operation: StorageOperation) => string;
  /** Counts the requests of this operation that the server has received from `storage`. */
  readonly countRequests: (server: Server, operation: StorageOperation) => Promise<number>;
  /** Identifies the connections that the server has open, except the one that asks. */
  readonly connections: (server: Server) => Promise<readonly string[]>;
  /** Ends the connections of all change feeds, at least that of a pair's `storage`. */
  readonly endFeeds: (server: Server) => Promise<unknown>;
  /** The directions between which a feed must have packets: if these are dropped, it reports a lag. */
  readonly feedReceives: readonly (TcpDirection | 'both')[];
  /** Makes the server forget cached scripts, so that the next call takes a further round trip. */
  readonly forgetScripts: (server: Server) => Promise<unknown>;
  /** Whether calls without a connection fail at once, instead of waiting for one until their deadline. */
  readonly failsFast: boolean;
}

/** What the topics of the suite use. */
export interface ServerStorageContext {
  /** The server, once the suite has started it. */
  readonly server: StorageServer;
  readonly target: Pick<ServerStorageTarget, 'requestOf' | 'failsFast' | 'feedReceives'>;
  readonly countRequests: (operation: StorageOperation) => Promise<number>;
  readonly startServer: (port: number) => Promise<StorageServer>;
  readonly newStorage: (address: TcpTarget, options: StorageOptions) => SessionStorage;
  readonly connections: () => Promise<readonly string[]>;
  readonly endFeeds: () => Promise<unknown>;
  readonly forgetScripts: () => Promise<unknown>;
  /** Opens one pair for the enclosing `describe`. */
  readonly usePair: (options: PairOptions) => StoragePair;
}
