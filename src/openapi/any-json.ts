/** The schema of any JSON value, spelt out: without it `@nestjs/swagger` takes the type of the property for an object. */
export const ANY_JSON = {
  oneOf: [
    { type: 'null' },
    { type: 'boolean' },
    { type: 'number' },
    { type: 'string' },
    { type: 'array', items: {} },
    { type: 'object', additionalProperties: true },
  ],
};
