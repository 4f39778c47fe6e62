/** Returns the OpenAPI schema of a time, with its unit. */
export function timeSchema(description: string) {
  return { type: 'integer', description: `${description} Epoch milliseconds.`, example: 1_893_456_000_000 } as const;
}
