const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|::1|\[::1\])$/;

/** Returns a server as `host:port`, the same for all names of this machine's loopback interface. */
export function serverName(host: string | undefined, port: number | string): string {
  const name = (host ?? 'localhost').toLowerCase();
  return `${LOOPBACK.test(name) ? 'localhost' : name}:${port}`;
}
