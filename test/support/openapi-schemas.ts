import type { ValidateFunction } from 'ajv/dist/2020.js';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { ApiOperation, JsonSchema } from './openapi-operations.js';

const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);

const validators = new Map<JsonSchema, ValidateFunction>();

/** The ways in which a value violates a schema; empty if it is valid. */
export function schemaErrors(schema: JsonSchema, value: unknown): string[] {
  const validate = validators.get(schema) ?? ajv.compile(schema);
  validators.set(schema, validate);
  if (validate(value)) return [];
  return validate.errors!.map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}

const closed = new Map<JsonSchema, JsonSchema>();

/** The same schema, but objects allow only their listed properties. */
export function closedSchema(schema: JsonSchema): JsonSchema {
  const known = closed.get(schema);
  if (known) return known;
  const { items, oneOf, properties } = schema;
  const made: JsonSchema = {
    ...schema,
    ...(items && { items: closedSchema(items) }),
    ...(oneOf && { oneOf: oneOf.map(closedSchema) }),
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, below]) => [name, closedSchema(below)])),
      additionalProperties: false,
    }),
  };
  closed.set(schema, made);
  return made;
}

/** Whether a query matches an operation: known parameters, each once and valid by its schema. */
export function fitsQuery({ parameters }: ApiOperation, query: URLSearchParams): boolean {
  const names = [...query.keys()];
  return names.every((name) => {
    const parameter = parameters.find((one) => one.in === 'query' && one.name === name);
    if (!parameter || query.getAll(name).length > 1) return false;
    return schemaErrors(parameter.schema, valueIn(query.get(name)!, parameter.schema)).length === 0;
  });
}

/** The bodies that an operation without a body ignores. */
const NOTHING: JsonSchema = { enum: [{}, []] };

/** Whether a text matches the JSON body of an operation. A missing body counts as an empty object. */
export function fitsBody({ body }: ApiOperation, text: string): boolean {
  const schema = body?.schema ?? NOTHING;
  try {
    return schemaErrors(closedSchema(schema), JSON.parse(text.replace(/^\ufeff/, '') || '{}')).length === 0;
  } catch {
    return false;
  }
}

/** Parses the text of a parameter. */
function valueIn(text: string, { type }: JsonSchema): unknown {
  if (type === 'integer') return /^-?\d+$/.test(text) ? Number(text) : text;
  if (type === 'boolean') return text === 'true' || (text === 'false' ? false : text);
  return text;
}
