import type { Environment } from './environment.js';

/** 16 bytes written as hexadecimal digits: above the 112 bits that NIST SP 800-131A asks for. */
const MIN_SECRET_LENGTH = 32;
const MIN_DIFFERENT_CHARACTERS = 8;
/** What stands in samples and defaults, and is no secret. */
const SAMPLE = /change|example|sample|default|secret|password|admin|placeholder/i;

const WAY_OUT = 'make one with: openssl rand -hex 32';

/** What production asks for beyond the form of the variables (ASVS 13.2.3). */
export function productionFaults(environment: Environment): string[] {
  if (!environment.isProduction) return [];
  const { ADMIN_SECRET, METRICS_TOKEN, SECRET_PEPPER } = environment;
  const missing =
    ADMIN_SECRET === undefined
      ? [
          `ADMIN_SECRET is not set, and production has no default; ${WAY_OUT}, or name a file of it in ADMIN_SECRET_FILE`,
        ]
      : [];
  return [...missing, ...Object.entries({ ADMIN_SECRET, METRICS_TOKEN, SECRET_PEPPER }).flatMap(weakness)];
}

function weakness([name, value]: [string, string | undefined]): string[] {
  if (value === undefined) return [];
  if (value.length < MIN_SECRET_LENGTH || new Set(value).size < MIN_DIFFERENT_CHARACTERS) {
    return [`${name} is too short or too simple for production; ${WAY_OUT}`];
  }
  return SAMPLE.test(value) ? [`${name} looks like a sample; ${WAY_OUT}`] : [];
}
