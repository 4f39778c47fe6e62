import { once } from 'node:events';
import { connect } from 'node:net';

/** Sends these bytes, one for each character, and returns what the server answers until it closes the connection. */
export async function answerTo(url: string, bytes: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  let received = '';
  socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1'))).on('error', () => undefined);
  socket.write(bytes, 'latin1');
  await once(socket, 'close');
  return received;
}
