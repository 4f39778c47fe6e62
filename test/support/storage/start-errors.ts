import { OptionsError, type SessionStorage } from 'nestjs-distributed-session';
import { CapturedOutput } from '../captured-output.js';

/** The errors with which the start of a storage is refused; what it logged, if it succeeds. */
export async function startErrorsOf(storage: SessionStorage): Promise<readonly string[]> {
  const output = new CapturedOutput();
  try {
    await storage.connect();
    await storage.close();
    return [`It started: ${output.text}`];
  } catch (error) {
    if (!(error instanceof OptionsError)) throw error;
    return error.errors;
  } finally {
    output.release();
  }
}
