import { type Environment, SECRET_VARIABLES } from './environment.js';
import { NO_KEY, keyEntries } from './key-entries.js';
import { estimatedBits, unleet } from './secret-strength.js';

/** 16 bytes as hexadecimal digits: more than the 112 bits that NIST SP 800-131A requires. */
const MIN_SECRET_LENGTH = 32;
const MIN_DIFFERENT_CHARACTERS = 8;
/** The estimate for 16 random bytes as hexadecimal digits is above 100. */
const MIN_ESTIMATED_BITS = 96;
/** Words from samples and defaults, at the beginning or the end of a word: random text contains them elsewhere. */
const SAMPLE = /(?:change|example|sample|default|secret|password|admin|placeholder)/.source;
const SAMPLE_WORD = new RegExp(`(?<![a-z])${SAMPLE}|${SAMPLE}(?![a-z])`, 'i');

const WAY_OUT = 'generate a secret with: openssl rand -hex 32';

/** Returns the violated rules that apply only in production (ASVS 13.2.3). */
export function productionErrors(environment: Environment): string[] {
  if (!environment.isProduction) return [];
  const errors = environment.ADMIN_SECRET === undefined ? [missing(environment)] : [];
  return [...errors, ...SECRET_VARIABLES.flatMap((name) => weaknesses(name, environment[name]))];
}

function missing({ NODE_ENV, HOST }: Environment): string {
  const required =
    NODE_ENV === 'production'
      ? 'ADMIN_SECRET is required in production'
      : `ADMIN_SECRET is required, because other machines can reach HOST=${HOST}`;
  const setIt = 'set ADMIN_SECRET, or ADMIN_SECRET_FILE to a file with it';
  return `${required}; ${WAY_OUT}, and ${setIt}; ${toDevelop(NODE_ENV)}`;
}

function toDevelop(environmentName: string): string {
  if (environmentName === 'production') return 'to run in development, unset NODE_ENV and HOST';
  return 'to run in development, unset HOST, or set it to 127.0.0.1';
}

function weaknesses(name: (typeof SECRET_VARIABLES)[number], value: string | undefined): string[] {
  // The password in a URL is the store's.
  if (name === 'SESSION_STORAGE_URL' || name === 'SESSION_STORAGE_FEED_URL') return [];
  const entries = keyEntries(value);
  return entries.flatMap((entry, index) => {
    const subject = entries.length === 1 ? name : `entry ${index + 1} of ${name}`;
    return entry === NO_KEY ? [] : weakness(entry).map((fault) => `${subject} ${fault}; ${WAY_OUT}`);
  });
}

function weakness(value: string): string[] {
  if (value.length < MIN_SECRET_LENGTH || new Set(value).size < MIN_DIFFERENT_CHARACTERS) {
    return ['is too short or too simple for production'];
  }
  if (SAMPLE_WORD.test(value) || SAMPLE_WORD.test(unleet(value))) return ['looks like a sample value'];
  if (estimatedBits(value) >= MIN_ESTIMATED_BITS) return [];
  return ['is easy to guess: it repeats itself, or consists of sequences or words'];
}
