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
import { closedSchema, schemaErrors } from './openapi-schemas.js';

const PROBLEM_TYPE = 'application/problem+json';

/** The codes of refusals before or without a route. */
const BEFORE_ROUTES = [
  'ERR_REQUEST_INPUT',
  'ERR_REQUEST_JSON',
  'ERR_REQUEST_HEADER',
  'ERR_REQUEST_PATH',
  'ERR_REQUEST_CROSS_SITE',
  'ERR_REQUEST_TOO_LARGE',
  'ERR_REQUEST_CONTENT_TYPE',
];

/** The answers that the OpenAPI document allows. */
export class AnswerContract {
  readonly operations: readonly ApiOperation[];
  readonly #problem: JsonSchema;

  constructor(private readonly document: OpenAPIObject) {
    this.operations = operationsIn(document);
    this.#problem = schemaIn(document, 'ProblemResponse');
  }

  /** The operation of a request. HEAD belongs to GET. */
  find(method: string, path: string): ApiOperation | undefined {
    const documented = method === 'HEAD' ? 'GET' : method;
    return operationsAt(this.operations, path).find((operation) => operation.method === documented);
  }

  /** The ways in which an answer differs from the document; empty if it matches. */
  errorsOf(method: string, path: string, answer: Answer): string[] {
    const { status } = answer;
    if (status >= 500) return [`${status}: the service failed`];
    const expected = this.#answersTo(method, path).get(status);
    if (expected === undefined) return [`${status} is not documented`];
    if (status >= 400) return this.#problemErrors(method, answer, expected.codes);
    return answerErrors(method, answer, expected);
  }

  #answersTo(method: string, path: string): ApiOperation['answers'] {
    const operation = this.find(method, path);
    if (operation) return operation.answers;
    // One server routes the path as sent, the other one decodes it first.
    const decoded = this.find(method, decodedPath(path));
    const others = operationsAt(this.operations, path).length > 0;
    const missing = others ? 'ERR_METHOD_NOT_ALLOWED' : 'ERR_ROUTE_NOT_FOUND';
    const general = [...statusesOf(this.document, [...BEFORE_ROUTES, missing])];
    return new Map([...(decoded?.answers ?? []), ...general.map(([status, codes]) => [status, { codes }] as const)]);
  }

  #problemErrors(method: string, { status, headers, json }: Answer, codes: readonly string[]): string[] {
    const type = headers.get('content-type') ?? '';
    if (type.split(';')[0] !== PROBLEM_TYPE) return [`${status} has the content type '${type}'`];
    if (method === 'HEAD') return [];
    const errors = schemaErrors(this.#problem, json);
    if (errors.length > 0) return errors;
    const problem = json as { status: number; code: string };
    return [
      ...(problem.status === status ? [] : [`${status} contains the status ${problem.status}`]),
      ...(codes.includes(problem.code) ? [] : [`${problem.code} is not documented for ${status}`]),
    ];
  }
}

function answerErrors(
  method: string,
  { headers, json }: Answer,
  expected: { mediaType?: string; schema?: JsonSchema },
) {
  const { mediaType, schema } = expected;
  const type = (headers.get('content-type') ?? '').split(';')[0];
  if (mediaType === undefined || schema === undefined) return ['the document has no schema for the answer'];
  if (type !== mediaType) return [`the content type is '${type}' instead of ${mediaType}`];
  return method === 'HEAD' || mediaType !== 'application/json' ? [] : schemaErrors(closedSchema(schema), json);
}

function decodedPath(path: string): string {
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}
