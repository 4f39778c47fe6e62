import type { Environment } from './environment.js';

/** 16 bytes as hexadecimal digits: more than the 112 bits that NIST SP 800-131A requires. */
const MIN_SECRET_LENGTH = 32;
const MIN_DIFFERENT_CHARACTERS = 8;
/** Words from samples and defaults, which are not secret. */
const SAMPLE = /change|example|sample|default|secret|password|admin|placeholder/i;

const WAY_OUT = 'generate a secret with: openssl rand -hex 32';

/** Returns the violated rules that apply only in production (ASVS 13.2.3). */
export function productionErrors(environment: Environment): string[] {
  if (!environment.isProduction) return [];
  const { ADMIN_SECRET, METRICS_TOKEN, SECRET_PEPPER } = environment;
  const missing =
    ADMIN_SECRET === undefined
      ? [
          `ADMIN_SECRET is required in production; ${WAY_OUT}, and set ADMIN_SECRET, or ADMIN_SECRET_FILE to a file with it`,
        ]
      : [];
  return [...missing, ...Object.entries({ ADMIN_SECRET, METRICS_TOKEN, SECRET_PEPPER }).flatMap(weakness)];
}

function weakness([name, value]: [string, string | undefined]): string[] {
  if (value === undefined) return [];
  if (value.length < MIN_SECRET_LENGTH || new Set(value).size < MIN_DIFFERENT_CHARACTERS) {
    return [`${name} is too short or too simple for production; ${WAY_OUT}`];
  }
  return SAMPLE.test(value) ? [`${name} looks like a sample value; ${WAY_OUT}`] : [];
}
