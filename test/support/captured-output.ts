import { stripVTControlCharacters } from 'node:util';
import { jest } from '@jest/globals';

/** Captures the output of this process until {@link release}, and hides it in the meantime. */
export class CapturedOutput {
  /** The output of both streams, as it was written. */
  text = '';
  readonly #spies = [process.stdout, process.stderr].map((stream) =>
    jest.spyOn(stream, 'write').mockImplementation((chunk) => {
      this.text += String(chunk);
      return true;
    }),
  );

  /** The log lines without colours. */
  get lines(): readonly string[] {
    return stripVTControlCharacters(this.text)
      .split('\n')
      .filter((line) => line !== '');
  }

  /** The parsed log lines that are JSON. */
  get json(): readonly Readonly<Record<string, unknown>>[] {
    return this.lines
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  }

  release(): void {
    for (const spy of this.#spies) spy.mockRestore();
  }
}
