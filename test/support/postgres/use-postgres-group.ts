import { afterEach, beforeEach } from '@jest/globals';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { PostgresStandby } from '@distributed-session/test-servers/postgres/postgres-standby.js';
import { TcpProxy } from '@distributed-session/test-servers/proxy/tcp-proxy.js';
import { PostgresStorageGroup } from './postgres-storage-group.js';

/** The server of the current test, and a group of three storages on it. */
export interface PostgresGroupContext {
  readonly server: PostgresServer;
  readonly group: PostgresStorageGroup;
}

/** A server with a synchronous standby, and a group of three storages that reach one of them at the proxy's address. */
export interface PostgresFailoverContext {
  readonly primary: PostgresServer;
  readonly standby: PostgresStandby;
  readonly group: PostgresStorageGroup;
  /** Points the group's address to the standby, and cuts the connections to the primary. */
  readonly turnToStandby: () => void;
}

/** Starts a server for each test, and connects a group to it. */
export function usePostgresGroup(): PostgresGroupContext {
  let server: PostgresServer;
  let group: PostgresStorageGroup;
  beforeEach(async () => {
    server = await PostgresServer.start();
    group = await PostgresStorageGroup.open(3, await server.createDatabase(), server);
  });
  afterEach(async () => {
    await group.close();
    await server.stop();
  });
  return {
    get server() {
      return server;
    },
    get group() {
      return group;
    },
  };
}

/** Starts a server and its standby for each test, and connects a group to the server. */
export function usePostgresFailover(): PostgresFailoverContext {
  let primary: PostgresServer;
  let standby: PostgresStandby;
  let proxy: TcpProxy;
  let group: PostgresStorageGroup;
  beforeEach(async () => {
    primary = await PostgresServer.start();
    const database = await primary.createDatabase();
    standby = await PostgresStandby.start(primary, { isSynchronous: true });
    proxy = await TcpProxy.start(primary);
    group = await PostgresStorageGroup.open(3, database, proxy);
  });
  afterEach(async () => {
    await group.close();
    await proxy.stop();
    await Promise.all([primary, standby.server].map((server) => server.stop()));
  });
  return {
    get primary() {
      return primary;
    },
    get standby() {
      return standby;
    },
    get group() {
      return group;
    },
    turnToStandby: () => {
      proxy.turnTo(standby.server);
      proxy.cut();
    },
  };
}
