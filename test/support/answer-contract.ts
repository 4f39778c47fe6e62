import type { OpenAPIObject } from '@nestjs/swagger';
import type { Answer } from './http-request.js';
import {
  type ApiOperation,
  type JsonSchema,
  operationsAt,
  operationsIn,
  schemaIn,
  statusesOf,
} from './openapi-operations.js';
import { closedSchema, faultsBy } from './openapi-schemas.js';

const PROBLEM_TYPE = 'application/problem+json';

/** What is refused before a route is found, or because none is. */
const BEFORE_ROUTES = [
  'ERR_REQUEST_INPUT',
  'ERR_REQUEST_JSON',
  'ERR_REQUEST_HEADER',
  'ERR_REQUEST_PATH',
  'ERR_REQUEST_TOO_LARGE',
  'ERR_REQUEST_CONTENT_TYPE',
];

/** What the OpenAPI document promises about answers. */
export class AnswerContract {
  readonly operations: readonly ApiOperation[];
  readonly #problem: JsonSchema;

  constructor(private readonly document: OpenAPIObject) {
    this.operations = operationsIn(document);
    this.#problem = schemaIn(document, 'ProblemResponse');
  }

  /** The operation that a request reaches: a HEAD that of the GET. */
  find(method: string, path: string): ApiOperation | undefined {
    const asked = method === 'HEAD' ? 'GET' : method;
    return operationsAt(this.operations, path).find((operation) => operation.method === asked);
  }

  /** In which ways an answer is none that the document promises; empty if it is one. */
  faultsOf(method: string, path: string, answer: Answer): string[] {
    const { status } = answer;
    if (status >= 500) return [`${status}: a failure of the service`];
    const expected = this.#answersTo(method, path).get(status);
    if (expected === undefined) return [`${status} is not documented`];
    if (status >= 400) return this.#problemFaults(method, answer, expected.codes);
    return answerFaults(method, answer, expected);
  }

  #answersTo(method: string, path: string): ApiOperation['answers'] {
    const operation = this.find(method, path);
    if (operation) return operation.answers;
    // One server looks at a path as it was sent, the other one decodes it before.
    const decoded = this.find(method, decodedPath(path));
    const others = operationsAt(this.operations, path).length > 0;
    const missing = others ? 'ERR_METHOD_NOT_ALLOWED' : 'ERR_ROUTE_NOT_FOUND';
    const general = [...statusesOf(this.document, [...BEFORE_ROUTES, missing])];
    return new Map([...(decoded?.answers ?? []), ...general.map(([status, codes]) => [status, { codes }] as const)]);
  }

  #problemFaults(method: string, { status, headers, json }: Answer, codes: readonly string[]): string[] {
    const type = headers.get('content-type') ?? '';
    if (type.split(';')[0] !== PROBLEM_TYPE) return [`${status} comes as '${type}'`];
    if (method === 'HEAD') return [];
    const faults = faultsBy(this.#problem, json);
    if (faults.length > 0) return faults;
    const problem = json as { status: number; code: string };
    return [
      ...(problem.status === status ? [] : [`${status} says that it is ${problem.status}`]),
      ...(codes.includes(problem.code) ? [] : [`${problem.code} is not documented for ${status}`]),
    ];
  }
}

function answerFaults(
  method: string,
  { headers, json }: Answer,
  expected: { mediaType?: string; schema?: JsonSchema },
) {
  const { mediaType, schema } = expected;
  const type = (headers.get('content-type') ?? '').split(';')[0];
  if (mediaType === undefined || schema === undefined) return ['the answer has no schema'];
  if (type !== mediaType) return [`comes as '${type}', not as ${mediaType}`];
  return method === 'HEAD' || mediaType !== 'application/json' ? [] : faultsBy(closedSchema(schema), json);
}

function decodedPath(path: string): string {
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}
