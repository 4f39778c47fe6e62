import { isDeepStrictEqual } from 'node:util';
import type { AnswerContract } from './answer-contract.js';
import { UNAUTHENTICATED_CALLERS } from './fuzz-mutation.js';
import type { FuzzRequest } from './fuzz-request.js';
import type { FuzzWorld, WorldSnapshot } from './fuzz-world.js';
import type { Answer } from './http-request.js';
import { fitsBody, fitsQuery } from './openapi-schemas.js';
import { clientOf } from './service-client.js';

/** Only a hanging service takes this long, even on a busy machine. */
const DEADLINE_MS = 30_000;
const UNAUTHENTICATED: readonly string[] = UNAUTHENTICATED_CALLERS;

interface SentRequest extends FuzzRequest {
  readonly target: string;
}

export interface FuzzOutcome {
  readonly status: number;
  /** Descriptions of everything that is wrong with the outcome; empty if it is correct. */
  readonly errors: readonly string[];
}

/** Sends a request and checks its outcome. */
export async function outcomeOf(
  request: FuzzRequest,
  world: FuzzWorld,
  contract: AnswerContract,
  service: { readonly url: string },
): Promise<FuzzOutcome> {
  const sent = resolved(request, world);
  const call = clientOf(service, world.headersOf(sent.caller));
  const body = sent.body === undefined ? undefined : Buffer.from(sent.body);
  const answer = await inTime(call(`${sent.method} ${sent.target}`, body, sent.headers));
  world.note(answer.json);
  const [before, after] = await world.look();
  const errors = [
    ...contract.errorsOf(sent.method, sent.path, answer),
    ...wrongRefusals(sent, answer),
    ...wrongAcceptances(sent, answer, contract),
    ...wrongChanges(sent, answer, before, after),
    ...leakedSecrets(sent, answer, world),
  ];
  const what = `${sent.method} ${sent.target} as ${sent.caller} → ${answer.status} ${codeOf(answer) ?? ''}`;
  return { status: answer.status, errors: errors.map((error) => `${what}: ${error}`) };
}

function resolved(request: FuzzRequest, world: FuzzWorld): SentRequest {
  const path = world.resolve(request.path, encodeURIComponent);
  const query = world.resolve(request.query, encodeURIComponent);
  const headers = Object.entries(request.headers).map(([name, value]) => {
    return [name, typeof value === 'string' ? world.resolve(value) : value.map((one) => world.resolve(one))] as const;
  });
  return {
    ...request,
    path,
    query,
    target: query === '' ? path : `${path}?${query}`,
    headers: Object.fromEntries(headers),
    ...(request.body !== undefined && { body: world.resolve(request.body, inJson) }),
  };
}

/** The text inside a JSON string. */
function inJson(value: string): string {
  return JSON.stringify(value).slice(1, -1);
}

function wrongRefusals({ changes }: SentRequest, answer: Answer): string[] {
  const isRefused = codeOf(answer)?.startsWith('ERR_REQUEST_') === true;
  return changes.length === 0 && isRefused ? [`the request is valid by its schema: ${answer.text}`] : [];
}

function wrongAcceptances(sent: SentRequest, { status }: Answer, contract: AnswerContract): string[] {
  const operation = contract.find(sent.method, sent.path);
  if (status >= 400 || !operation) return [];
  return [
    ...(fitsQuery(operation, new URLSearchParams(sent.query)) ? [] : ['the query does not fit the schema']),
    ...(fitsBody(operation, sent.body ?? '') ? [] : ['the body does not fit the schema']),
    ...(sent.path.startsWith('/v1/') && UNAUTHENTICATED.includes(sent.caller)
      ? ['the caller is not authenticated']
      : []),
  ];
}

/** A refusal may change nothing. A read may touch sessions, even if it finds no attribute. */
function wrongChanges(
  { method }: SentRequest,
  { status }: Answer,
  before: WorldSnapshot,
  after: WorldSnapshot,
): string[] {
  const isRead = method === 'GET' || method === 'HEAD';
  const mayTouch = isRead && (status < 400 || status === 404);
  const isKept = isDeepStrictEqual(before.others, after.others);
  const isUntouched = isDeepStrictEqual(before.times, after.times);
  if (status < 400 && !isRead) return [];
  return [...(isKept ? [] : ['it changed stored data']), ...(isUntouched || mayTouch ? [] : ['it touched a session'])];
}

/** An issued secret may appear only in the answer that issues it. */
function leakedSecrets(sent: SentRequest, answer: Answer, world: FuzzWorld): string[] {
  const { token, credential, secret, ...shown } = Object(answer.json) as Record<string, unknown>;
  const issues = answer.status === 201;
  const text = JSON.stringify([issues ? shown : answer.text, ...answer.headers]);
  const given = `${sent.target} ${sent.body}`;
  // A caller may store a secret in an attribute.
  const leaked = [...world.secrets].filter(
    (one) => text.includes(one) && (answer.status >= 400 || !given.includes(one)),
  );
  const issued = [token, credential, secret].filter((one) => typeof one === 'string' && !given.includes(one));
  if (issues) for (const one of issued) world.secrets.add(one as string);
  return leaked.map(() => `it contains a secret: ${answer.text}`);
}

function codeOf({ json }: Answer): string | undefined {
  return (json as { code?: string } | undefined)?.code;
}

async function inTime(answer: Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`The service did not answer within ${DEADLINE_MS} ms.`)), DEADLINE_MS);
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}
