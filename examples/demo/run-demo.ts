import { REGISTRATIONS, type Registrations } from '../registrations.js';
import { chooseStorage } from './choose-storage.js';
import { demoArguments } from './demo-arguments.js';
import { DemoUsageError } from './demo-usage.error.js';
import { Narrator } from './narrator.js';
import { OneProcessStage } from './one-process.stage.js';
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
  const { print, complain, signal, registrations = REGISTRATIONS } = run;
  let stage: Stage | undefined;
  try {
    stage = stageFor(run);
    print(`Three services, user, order and pay, share the sessions of their users.\n${stage.setting}`);
    const urls = await stage.start(registrations);
    signal.throwIfAborted();
    await tellStory(new Narrator(urls, print, signal));
    print('\nEverything went as told.');
    return 0;
  } catch (error) {
    if (error instanceof DemoUsageError) {
      complain(error.message);
      return error.exitCode;
    }
    complain(signal.aborted ? '\nInterrupted.' : `\n${(error as Error).message}`);
    return 1;
  } finally {
    await stage?.close();
  }
}

function stageFor({ args, environment }: DemoRun): Stage {
  demoArguments(args);
  return new OneProcessStage(chooseStorage(environment));
}
