import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OpenAPIObject } from '@nestjs/swagger';
import type { PermissionRequirement } from 'nestjs-distributed-session';
import { PERMISSIONS_EXTENSION } from '../../src/openapi/operation.decorator.js';
import { ROOT } from './packed-library.js';

/** The parts of JSON schema (2020-12) that the OpenAPI document uses. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly oneOf?: readonly JsonSchema[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: JsonSchema;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
}

export interface ApiParameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description?: string;
  readonly schema: JsonSchema;
}

/** The documented answer of an operation with one status. */
export interface ApiAnswer {
  readonly mediaType?: string;
  readonly schema?: JsonSchema;
  /** The problem codes that its description lists. */
  readonly codes: readonly string[];
}

/** One operation of the OpenAPI document, with resolved schema references. */
export interface ApiOperation {
  readonly operationId: string;
  readonly method: string;
  /** With its parameters in braces, such as `/v1/sessions/{sessionId}`. */
  readonly path: string;
  readonly summary: string;
  /** The permissions that it requires, all of them; `undefined` if it requires no authentication. */
  readonly requirements: readonly PermissionRequirement[] | undefined;
  readonly parameters: readonly ApiParameter[];
  readonly body?: { readonly schema: JsonSchema; readonly required: boolean };
  readonly answers: ReadonlyMap<number, ApiAnswer>;
}

interface DocumentedOperation {
  readonly operationId: string;
  readonly summary: string;
  readonly [PERMISSIONS_EXTENSION]?: readonly PermissionRequirement[];
  readonly parameters?: readonly ApiParameter[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>;
}

type Content = Readonly<Record<string, { readonly schema?: JsonSchema }>>;

/** The committed OpenAPI document. */
export function committedDocument(): OpenAPIObject {
  return JSON.parse(readFileSync(join(ROOT, 'docs/openapi.json'), 'utf8')) as OpenAPIObject;
}

/** The operations of a document, in document order. */
export function operationsIn(document: OpenAPIObject): ApiOperation[] {
  const resolve = (schema: JsonSchema) => withoutReferences(schema, document);
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item as Record<string, DocumentedOperation>).map(([method, operation]) => {
      const { operationId, summary, parameters = [], requestBody, responses } = operation;
      const bodySchema = requestBody?.content['application/json']?.schema;
      return {
        operationId,
        method: method.toUpperCase(),
        path,
        summary,
        requirements: operation[PERMISSIONS_EXTENSION],
        parameters,
        ...(bodySchema && { body: { schema: resolve(bodySchema), required: requestBody?.required === true } }),
        answers: new Map(
          Object.entries(responses).map(([status, { description, content = {} }]) => {
            const [mediaType] = Object.keys(content);
            const schema = mediaType === undefined ? undefined : content[mediaType]!.schema;
            const codes = [...description.matchAll(/`(ERR_\w+)`:/g)].map(([, code]) => code!);
            return [Number(status), { mediaType, schema: schema && resolve(schema), codes }] as const;
          }),
        ),
      };
    }),
  );
}

/** A named schema of a document, with resolved references. */
export function schemaIn(document: OpenAPIObject, name: string): JsonSchema {
  return withoutReferences({ $ref: name }, document);
}

/** The statuses of problem codes, according to the document's examples. */
export function statusesOf(document: OpenAPIObject, codes: readonly string[]): Map<number, string[]> {
  const examples = document.components!.examples as Record<string, { value: { code: string; status: number } }>;
  const statuses = new Map<number, string[]>();
  for (const { value } of Object.values(examples)) {
    if (codes.includes(value.code)) statuses.set(value.status, [...(statuses.get(value.status) ?? []), value.code]);
  }
  return statuses;
}

/** The operations at a path, with any method. A literal path precedes one with parameters. */
export function operationsAt(operations: readonly ApiOperation[], path: string): ApiOperation[] {
  return operations
    .filter((operation) => patternOf(operation.path).test(path))
    .toSorted((a, b) => Number(a.path.includes('{')) - Number(b.path.includes('{')));
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`);
}

function withoutReferences(schema: JsonSchema, document: OpenAPIObject): JsonSchema {
  const name = schema.$ref?.split('/').at(-1);
  if (name !== undefined) return withoutReferences(document.components!.schemas![name] as JsonSchema, document);
  const { items, oneOf, properties } = schema;
  return {
    ...schema,
    ...(items && { items: withoutReferences(items, document) }),
    ...(oneOf && { oneOf: oneOf.map((one) => withoutReferences(one, document)) }),
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([field, below]) => [field, withoutReferences(below, document)]),
      ),
    }),
  };
}
