import type { ValidateFunction } from 'ajv/dist/2020.js';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { ApiOperation, JsonSchema } from './openapi-operations.js';

const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);

const validators = new Map<JsonSchema, ValidateFunction>();

/** What is wrong with a value by a schema; empty if nothing is. */
export function faultsBy(schema: JsonSchema, value: unknown): string[] {
  const validate = validators.get(schema) ?? ajv.compile(schema);
  validators.set(schema, validate);
  if (validate(value)) return [];
  return validate.errors!.map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}

const closed = new Map<JsonSchema, JsonSchema>();

/** The same schema, but an object that has properties has no others. */
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

/** Whether the text of a query is as an operation describes it: known parameters, each once and by its schema. */
export function fitsQuery({ parameters }: ApiOperation, query: URLSearchParams): boolean {
  const names = [...query.keys()];
  return names.every((name) => {
    const parameter = parameters.find((one) => one.in === 'query' && one.name === name);
    if (!parameter || query.getAll(name).length > 1) return false;
    return faultsBy(parameter.schema, valueIn(query.get(name)!, parameter.schema)).length === 0;
  });
}

/** What an operation without a body leaves unread. */
const NOTHING: JsonSchema = { enum: [{}, []] };

/** Whether a text is a JSON body as an operation describes it. None and an empty object are the same; a byte order mark is left out. */
export function fitsBody({ body }: ApiOperation, text: string): boolean {
  const schema = body?.schema ?? NOTHING;
  try {
    return faultsBy(closedSchema(schema), JSON.parse(text.replace(/^\ufeff/, '') || '{}')).length === 0;
  } catch {
    return false;
  }
}

/** The value that a parameter has by its text. */
function valueIn(text: string, { type }: JsonSchema): unknown {
  if (type === 'integer') return /^-?\d+$/.test(text) ? Number(text) : text;
  if (type === 'boolean') return text === 'true' || (text === 'false' ? false : text);
  return text;
}
