import { type DemoRun, runDemo } from '../../examples/demo/run-demo.js';
import { REGISTRATIONS, type Registrations, type ServiceName } from '../../examples/services.js';
import { readPage } from './documentation-program.js';
import { codeBlocks } from './markdown.js';

/** The transcript in `examples/README.md`. */
export const DOCUMENTED =
  codeBlocks(readPage('examples/README.md')).find(({ language }) => language === 'text')?.code ?? '';

/** Runs the demo from its source and collects its output. */
export async function play(run: Partial<DemoRun> = {}) {
  const lines: string[] = [];
  const errors: string[] = [];
  const code = await runDemo({
    args: [],
    environment: {},
    print: (line) => lines.push(line),
    printError: (line) => errors.push(line),
    signal: new AbortController().signal,
    ...run,
  });
  return { code, transcript: lines.join('\n'), errors: errors.join('\n') };
}

/** The demo's registrations, with other permissions for one service. */
export function permitting(name: ServiceName, permissions: readonly string[]): Registrations {
  return { ...REGISTRATIONS, [name]: { ...REGISTRATIONS[name], permissions } };
}

/** The numbers of a transcript's steps. */
export function stepsOf(transcript: string): readonly number[] {
  return Array.from(transcript.matchAll(/^(\d+)\. /gm), ([, step]) => Number(step));
}
