import { type DemoRun, runDemo } from '../../examples/demo/run-demo.js';
import { REGISTRATIONS, type Registrations, type ServiceName } from '../../examples/registrations.js';
import { readPage } from './documentation-program.js';
import { codeBlocks } from './markdown.js';

/** What `examples/README.md` says that the demo prints. */
export const DOCUMENTED =
  codeBlocks(readPage('examples/README.md')).find(({ language }) => language === 'text')?.code ?? '';

/** Runs the demo from its source, and collects what it says. */
export async function play(run: Partial<DemoRun> = {}) {
  const told: string[] = [];
  const complaints: string[] = [];
  const code = await runDemo({
    args: [],
    environment: {},
    print: (line) => told.push(line),
    complain: (line) => complaints.push(line),
    signal: new AbortController().signal,
    ...run,
  });
  return { code, transcript: told.join('\n'), complaints: complaints.join('\n') };
}

/** The registrations of the demo, but for what one service may do. */
export function permitting(name: ServiceName, permissions: readonly string[]): Registrations {
  return { ...REGISTRATIONS, [name]: { ...REGISTRATIONS[name], permissions } };
}

/** The numbers of the steps that a transcript tells. */
export function stepsOf(transcript: string): readonly number[] {
  return Array.from(transcript.matchAll(/^(\d+)\. /gm), ([, step]) => Number(step));
}
