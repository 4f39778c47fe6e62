import type { Redis } from 'ioredis';

/**
 * Makes a client, and its duplicates, end quietly when they are closed within a TLS handshake. ioredis listens to one
 * error of a socket. Such a socket may have two: the certificate is refused, and the server complains of a handshake
 * that was cut short. An error that nobody hears ends the process.
 */
export function endQuietly(client: Redis): Redis {
  const disconnect = client.disconnect.bind(client);
  client.disconnect = (reconnect) => {
    // There is none before the first attempt.
    const socket = client.stream as Redis['stream'] | undefined;
    socket?.on('error', () => {});
    disconnect(reconnect);
  };
  const duplicate = client.duplicate.bind(client);
  client.duplicate = (override) => endQuietly(duplicate(override));
  return client;
}
