import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { Answer } from './http-request.js';

/** Headers to send. An array sends one header line per element; `undefined` removes a header. */
export type SentHeaders = Readonly<Record<string, string | string[] | undefined>>;

export interface ServiceAnswer<Body> extends Answer {
  /** The parsed body, typed by the caller. */
  readonly json: Body;
}

/**
 * Calls the session service as one caller: `await user('POST /v1/sessions', { loginId: 'alice' })`. The path is sent as
 * written, neither encoded nor normalized. A body is sent as JSON, a `Buffer` unchanged.
 */
export type ServiceClient = <Body = unknown>(
  line: string,
  body?: unknown,
  headers?: SentHeaders,
) => Promise<ServiceAnswer<Body>>;

/** Creates a client that sends these headers with each request. */
export function clientOf({ url }: { readonly url: string }, caller: SentHeaders = {}): ServiceClient {
  return async <Body>(line: string, body?: unknown, headers?: SentHeaders) => {
    const [method, path] = line.split(/ (.*)/s);
    const sent = request(url, { method, path, headers: headersFor(body, { ...caller, ...headers }), agent: false });
    sent.end(bytesOf(body));
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return (await answerIn(response)) as ServiceAnswer<Body>;
  };
}

function bytesOf(body: unknown): Buffer | undefined {
  if (body === undefined || Buffer.isBuffer(body)) return body;
  return Buffer.from(JSON.stringify(body));
}

function headersFor(body: unknown, given: SentHeaders): Record<string, string | string[]> {
  const bytes = bytesOf(body);
  const isChunked = given['transfer-encoding'] !== undefined;
  const own = bytes && {
    'content-type': 'application/json',
    ...(!isChunked && { 'content-length': String(bytes.length) }),
  };
  const all = Object.entries({ ...own, ...given });
  return Object.fromEntries(all.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

async function answerIn(response: IncomingMessage): Promise<Answer> {
  const { rawHeaders, statusCode = 0 } = response;
  const pairs = rawHeaders.flatMap((name, index): [string, string][] =>
    index % 2 === 0 ? [[name, rawHeaders[index + 1]!]] : [],
  );
  const headers = new Headers(pairs);
  const text = await bodyOf(response, headers);
  const isJson = text !== '' && /\bjson\b/.test(headers.get('content-type') ?? '');
  return { status: statusCode, headers, text, json: isJson ? (JSON.parse(text) as unknown) : undefined };
}

/** An event stream does not end, so it is closed after its headers. */
async function bodyOf(response: IncomingMessage, headers: Headers): Promise<string> {
  if (headers.get('content-type')?.startsWith('text/event-stream')) {
    response.destroy();
    return '';
  }
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk as string;
  return text;
}
