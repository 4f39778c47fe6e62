import { constants } from 'node:os';
import { runDemo } from './demo/run-demo.js';

/** `npm run demo`: three services that share sessions, over HTTP on loopback. */
const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  // Once: a second signal ends the process without waiting for the services to close.
  process.once(signal, () => interruption.abort(128 + constants.signals[signal]));
}

const exitCode = await runDemo({
  args: process.argv.slice(2),
  environment: process.env,
  print: console.log,
  printError: console.error,
  signal: interruption.signal,
});
process.exitCode = interruption.signal.aborted ? (interruption.signal.reason as number) : exitCode;
