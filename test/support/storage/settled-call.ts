/** The outcome of a call. */
export interface SettledCall {
  /** The `outcome` of its result (`read` for a result without one), or its error's code or name. */
  readonly outcome: string;
  /** Its error's message. */
  readonly message?: string;
  /** How long it took, in milliseconds. */
  readonly ms: number;
}

/** Makes a call and resolves to its outcome, whether it resolves or rejects. */
export async function settle(call: () => Promise<unknown>): Promise<SettledCall> {
  const startedAt = performance.now();
  const settled = await call().then(outcomeOf, failureOf);
  return { ...settled, ms: performance.now() - startedAt };
}

function outcomeOf(result: unknown): Pick<SettledCall, 'outcome'> {
  const { outcome = 'read' } = (result ?? {}) as { outcome?: string };
  return { outcome };
}

function failureOf(error: Error & { code?: string }): Pick<SettledCall, 'outcome' | 'message'> {
  return { outcome: error.code ?? error.name, message: error.message };
}
