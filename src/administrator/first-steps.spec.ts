import { describe, expect, test } from '@jest/globals';
import { readEnvironment } from '../config/read-environment.js';
import { firstSteps } from './first-steps.js';

const URL = 'http://127.0.0.1:3000';
const SECRET = 'the-secret-of-the-administrator';

describe('firstSteps()', () => {
  test('prints a generated secret, and uses it in every command that requires a credential', () => {
    const steps = firstSteps(URL, readEnvironment({ ADMIN_SERVICE_ID: 'root' }), SECRET);
    expect(steps).toContain('Administrator: root\n');
    expect(steps).toContain(`Secret:        ${SECRET}   (generated at every start)\n`);
    const requests = curlLines(steps);
    expect(requests.length).toBeGreaterThanOrEqual(6);
    for (const request of requests) expect(request).toContain(URL);
    const authenticated = requests.filter((request) => request.includes(`-u "root:${SECRET}"`));
    expect(requests.filter((request) => !authenticated.includes(request))).toEqual([`curl -sS ${URL}/health/ready`]);
  });

  test('names the variable of a configured secret, and does not print the secret', () => {
    const steps = firstSteps(URL, readEnvironment({ ADMIN_SECRET: SECRET }), undefined);
    expect(steps).not.toContain(SECRET);
    expect(steps).not.toContain('undefined');
    expect(steps).toContain('the value of ADMIN_SECRET');
    expect(curlLines(steps).filter((request) => request.includes('-u "admin:$ADMIN_SECRET"')).length).toBeGreaterThan(
      4,
    );
  });

  test('uses the first entry of a configured secret that is being changed', () => {
    const steps = firstSteps(URL, readEnvironment({ ADMIN_SECRET: `${SECRET} the-earlier-secret` }), undefined);
    expect(steps).toContain('the first entry of ADMIN_SECRET');
    expect(steps).toContain('-u "admin:${ADMIN_SECRET%%[[:space:]]*}"');
    expect(steps).not.toContain(SECRET);
  });

  test('prints the URL of the API documentation only if it is served', () => {
    expect(firstSteps(URL, readEnvironment({ DOCS: 'on' }), SECRET)).toContain(`${URL}/docs\n`);
    expect(firstSteps(URL, readEnvironment({ DOCS: 'off' }), SECRET)).not.toContain('/docs');
  });
});

function curlLines(steps: string): readonly string[] {
  return steps
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('curl '));
}
