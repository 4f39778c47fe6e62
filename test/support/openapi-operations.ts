import type { OpenAPIObject } from '@nestjs/swagger';

/** As much of a JSON schema (2020-12) as the OpenAPI document uses. */
export interface JsonSchema {
  readonly $ref?: string;
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
  readonly schema: JsonSchema;
}

/** What an operation answers with a status. */
export interface ApiAnswer {
  readonly mediaType?: string;
  readonly schema?: JsonSchema;
  /** The codes of problems that its description lists. */
  readonly codes: readonly string[];
}

/** One operation of the OpenAPI document, with every reference to a schema resolved. */
export interface ApiOperation {
  readonly operationId: string;
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly ApiParameter[];
  readonly body?: { readonly schema: JsonSchema; readonly required: boolean };
  readonly answers: ReadonlyMap<number, ApiAnswer>;
}

interface DocumentedOperation {
  readonly operationId: string;
  readonly parameters?: readonly ApiParameter[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>;
}

type Content = Readonly<Record<string, { readonly schema?: JsonSchema }>>;

/** The operations of a document, in its order. */
export function operationsIn(document: OpenAPIObject): ApiOperation[] {
  const resolve = (schema: JsonSchema) => withoutReferences(schema, document);
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item as Record<string, DocumentedOperation>).map(([method, operation]) => {
      const { operationId, parameters = [], requestBody, responses } = operation;
      const bodySchema = requestBody?.content['application/json']?.schema;
      return {
        operationId,
        method: method.toUpperCase(),
        path,
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

/** A schema of a document by its name, with every reference resolved. */
export function schemaIn(document: OpenAPIObject, name: string): JsonSchema {
  return withoutReferences({ $ref: name }, document);
}

/** The statuses of problem codes, as the examples of a document have them. */
export function statusesOf(document: OpenAPIObject, codes: readonly string[]): Map<number, string[]> {
  const examples = document.components!.examples as Record<string, { value: { code: string; status: number } }>;
  const statuses = new Map<number, string[]>();
  for (const { value } of Object.values(examples)) {
    if (codes.includes(value.code)) statuses.set(value.status, [...(statuses.get(value.status) ?? []), value.code]);
  }
  return statuses;
}

/** The operations that a path is of, whatever their method. A literal path goes before one with parameters. */
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
