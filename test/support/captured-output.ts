import { stripVTControlCharacters } from 'node:util';
import { jest } from '@jest/globals';

/** What this process writes, from now on until {@link release}. Nothing of it is seen meanwhile. */
export class CapturedOutput {
  /** Everything, of both streams, as it was written. */
  text = '';
  readonly #spies = [process.stdout, process.stderr].map((stream) =>
    jest.spyOn(stream, 'write').mockImplementation((chunk) => {
      this.text += String(chunk);
      return true;
    }),
  );

  /** The log lines, without colours. */
  get lines(): readonly string[] {
    return stripVTControlCharacters(this.text)
      .split('\n')
      .filter((line) => line !== '');
  }

  /** The log lines that are JSON. */
  get json(): readonly Readonly<Record<string, unknown>>[] {
    return this.lines
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  }

  release(): void {
    for (const spy of this.#spies) spy.mockRestore();
  }
}
