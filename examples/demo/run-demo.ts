import { parseArgs } from 'node:util';
import { REGISTRATIONS, type Registrations } from '../services.js';
import { playScenario } from './scenario.js';
import { ScenarioRunner } from './scenario-runner.js';
import { OneProcessStage, ProcessesStage, type Stage } from './stages.js';
import { chooseStorage } from './storages.js';

export interface DemoRun {
  readonly args: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** Receives the lines of the transcript. */
  readonly print: (line: string) => void;
  /** Receives errors. */
  readonly printError: (line: string) => void;
  /** Ends the demo early. */
  readonly signal: AbortSignal;
  /** The services and their permissions, if they differ from what the scenario needs. */
  readonly registrations?: Registrations;
}

const USAGE = `Usage: npm run demo [-- --processes]

  Without arguments, the three services run in one process and share an in-memory storage.
  --processes   Runs the session service and the three services as separate processes;
                the services reach their sessions over REST.`;

const EXIT_USAGE = 2;

/** Runs the scenario. Resolves to the exit code: 0 if every response was as expected. */
export async function runDemo(run: DemoRun): Promise<number> {
  const { print, printError, signal } = run;
  let processes: boolean;
  try {
    processes = parseArgs({ args: [...run.args], options: { processes: { type: 'boolean', default: false } } }).values
      .processes;
  } catch (error) {
    printError(`${(error as Error).message}\n\n${USAGE}`);
    return EXIT_USAGE;
  }
  try {
    const storage = chooseStorage(run.environment);
    try {
      await playOn(processes ? new ProcessesStage(storage) : new OneProcessStage(storage), run);
    } finally {
      await storage.clear().catch(() => undefined);
    }
    print('\nEvery response was as expected.');
    return 0;
  } catch (error) {
    printError(signal.aborted ? '\nInterrupted.' : `\n${(error as Error).message}`);
    return 1;
  }
}

/** Starts the services, runs the scenario, and stops everything whatever happens. */
async function playOn(stage: Stage, { print, signal, registrations = REGISTRATIONS }: DemoRun): Promise<void> {
  print(`Three services, user, order and pay, share the sessions of their users.\n${stage.setting}`);
  try {
    const urls = await stage.start(registrations, signal);
    signal.throwIfAborted();
    await playScenario(new ScenarioRunner(urls, print, signal));
  } finally {
    await stage.close();
  }
}
