import { REGISTRATIONS, type Registrations } from '../registrations.js';
import { chooseStorage } from './choose-storage.js';
import { demoArguments } from './demo-arguments.js';
import { DemoUsageError } from './demo-usage.error.js';
import { Narrator } from './narrator.js';
import { OneProcessStage } from './one-process.stage.js';
import { ProcessesStage } from './processes.stage.js';
import type { Stage } from './stage.js';
import { tellStory } from './story.js';

export interface DemoRun {
  readonly args: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** Takes the lines of the transcript. */
  readonly print: (line: string) => void;
  /** Takes what went wrong. */
  readonly complain: (line: string) => void;
  /** Ends the story early. */
  readonly signal: AbortSignal;
  /** What the services may do, where it is not what the story needs. */
  readonly registrations?: Registrations;
}

/** Plays the story on the stage that the arguments ask for. Resolves to the exit code: 0 if all went as told. */
export async function runDemo(run: DemoRun): Promise<number> {
  const { print, complain, signal } = run;
  try {
    const { processes } = demoArguments(run.args);
    const storage = chooseStorage(run.environment);
    try {
      await play(processes ? new ProcessesStage(storage) : new OneProcessStage(storage), run);
    } finally {
      await storage.clear().catch(() => undefined);
    }
    print('\nEverything went as told.');
    return 0;
  } catch (error) {
    if (error instanceof DemoUsageError) {
      complain(error.message);
      return error.exitCode;
    }
    complain(signal.aborted ? '\nInterrupted.' : `\n${(error as Error).message}`);
    return 1;
  }
}

/** From the first curtain to the last: whatever happens in between, nothing of the stage is left. */
async function play(stage: Stage, { print, signal, registrations = REGISTRATIONS }: DemoRun): Promise<void> {
  print(`Three services, user, order and pay, share the sessions of their users.\n${stage.setting}`);
  try {
    const urls = await stage.start(registrations, signal);
    signal.throwIfAborted();
    await tellStory(new Narrator(urls, print, signal));
  } finally {
    await stage.close();
  }
}
