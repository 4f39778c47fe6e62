import { once } from 'node:events';
import { connect } from 'node:net';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed body; `undefined` if it is not JSON. */
  readonly json: unknown;
}

/** Sends a request with `fetch`. */
export async function send(url: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  const response = await fetch(url, { method, headers, redirect: 'manual' });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: parse(text) };
}

/** Sends exactly this request line and these headers, which may be invalid or repeated. A character is one byte. */
export async function sendRaw(
  url: string,
  target: string,
  headers: readonly (readonly [string, string])[] = [],
  method = 'GET',
): Promise<Answer> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  const lines = [['Host', 'localhost'], ['Connection', 'close'], ...headers].map(
    ([name, value]) => `${name}: ${value}`,
  );
  socket.write(`${method} ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  let received = '';
  socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
  await once(socket, 'close');
  const headEnd = received.indexOf('\r\n\r\n');
  const [statusLine = '', ...headerLines] = received.slice(0, headEnd).split('\r\n');
  const text = received.slice(headEnd + 4);
  return {
    status: Number(statusLine.split(' ')[1]),
    headers: new Headers(headerLines.map((line) => line.split(/: ?(.*)/s).slice(0, 2) as [string, string])),
    text,
    json: parse(text),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
