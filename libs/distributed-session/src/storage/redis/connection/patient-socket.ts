import { Socket } from 'node:net';

const patient = new WeakSet<object>();

/**
 * Makes a socket read what has arrived before a time-out of ioredis destroys it. The time-out is a timer, and after this
 * process has stood still timers run first: replies that are here would be lost with a connection that works.
 */
export function readBeforeTimeout(socket: object): void {
  if (patient.has(socket) || !(socket instanceof Socket)) return;
  patient.add(socket);
  const destroy = socket.destroy.bind(socket);
  socket.destroy = (error?: Error) => {
    if (!error?.message.startsWith('Socket timeout')) return destroy(error);
    const { bytesRead } = socket;
    setImmediate(() => {
      if (socket.bytesRead === bytesRead) destroy(error);
    });
    return socket;
  };
}
