import { once } from 'node:events';
import { type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type StubAnswer = (response: ServerResponse) => unknown;

/** Responds with a status and JSON, such as a problem. */
export function json(status: number, body: object): StubAnswer {
  return (response) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** Closes the connection without a response. */
export const cut: StubAnswer = (response) => response.destroy();

/** Never responds. */
export const silence: StubAnswer = () => undefined;

/** A substitute for a service with the responses that a test sets. To all other requests it responds that the session is not found. */
export class StubServer {
  /** Responses by method and path, such as `GET /health/ready`. */
  readonly answers = new Map<string, StubAnswer>();
  /** The requests so far: method and URL. */
  readonly requests: string[] = [];
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      const { method, url = '' } = request;
      this.requests.push(`${method} ${url}`);
      const answer = this.answers.get(`${method} ${url.split('?')[0]}`);
      (answer ?? json(404, { code: 'ERR_SESSION_NOT_FOUND', detail: 'No such session.' }))(response);
    });
  }

  async listen(): Promise<string> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    if (this.#server.listening) await once(this.#server.close(), 'close');
  }
}
