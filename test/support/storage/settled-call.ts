/** How a call has ended. */
export interface SettledCall {
  /** The word of its result (`read` for a result without one), or the code of its error, or the error's name. */
  readonly outcome: string;
  /** The message of its error. */
  readonly message?: string;
  /** After how many milliseconds. */
  readonly ms: number;
}

/** Makes a call and waits until it has ended, however that is. */
export async function settle(call: () => Promise<unknown>): Promise<SettledCall> {
  const startedAt = performance.now();
  const told = await call().then(outcomeOf, failureOf);
  return { ...told, ms: performance.now() - startedAt };
}

function outcomeOf(result: unknown): Pick<SettledCall, 'outcome'> {
  const { outcome = 'read' } = (result ?? {}) as { outcome?: string };
  return { outcome };
}

function failureOf(error: Error & { code?: string }): Pick<SettledCall, 'outcome' | 'message'> {
  return { outcome: error.code ?? error.name, message: error.message };
}
