import { OptionsError } from './errors/options.error.js';
import { areConfusable } from './guards/session-cookie.js';
import type { InstalledModules } from './modules/installed-modules.js';
import { type ModuleName, shownModule } from './options/module-selection.js';
import type { ResolvedOptions } from './resolve-options.js';
import type { SessionStorage } from './storage/session-storage.js';

type Configured = readonly [ModuleName, ResolvedOptions];

/**
 * Modules of one application are separate: a session of one is never one of another.
 *
 * @throws {OptionsError} with every pair of modules that share a name, a store or a cookie.
 */
export function assertNoCollisions({ configured }: InstalledModules): void {
  const collisions = configured.flatMap((first, index) =>
    configured.slice(index + 1).flatMap((second) => collisionOf(first, second) ?? []),
  );
  if (collisions.length > 0) throw new OptionsError('Modules of this application collide:', collisions);
}

/** Equal names are reported alone: a module that is imported twice by mistake is the same in all other respects, too. */
function collisionOf(first: Configured, second: Configured): string | readonly string[] {
  const [name, options] = first;
  if (name === second[0]) return sameName(name);
  const both = `${shownModule(name)} and ${shownModule(second[0])}`;
  return [...sameStore(both, options.storage, second[1].storage), ...sameCookie(both, options, second[1])];
}

function sameName(name: ModuleName): string {
  const found = name === undefined ? 'two modules have no name' : `two modules have the name "${name}"`;
  return (
    `${found}: give each its own, as in forRoot({ name: 'admins', … }); or, if one is meant, call forRoot() once and ` +
    'import its result wherever it is needed, or set isGlobal to true.'
  );
}

function sameStore(both: string, first: SessionStorage, second: SessionStorage): readonly string[] {
  if (first === second) return [`${both} have the same storage: create one for each.`];
  const [a, b] = [first.location, second.location];
  if (a === undefined || a.server !== b?.server || a.part !== b.part) return [];
  const server = typeof a.server === 'string' ? ` of ${a.server}` : '';
  return [
    `${both} use the same store, ${a.part}${server}, so that the sessions of one would be valid in the other: give one ` +
      'of the storages another keyPrefix, schema, tablePrefix or database.',
  ];
}

function sameCookie(both: string, first: ResolvedOptions, second: ResolvedOptions): readonly string[] {
  if (![first, second].every(({ sessionCarriers }) => sessionCarriers.includes('cookie'))) return [];
  const [a, b] = [first.sessionCookieName, second.sessionCookieName];
  if (!areConfusable(a, b)) return [];
  const how = a === b ? `the cookie ${a}` : `the cookies ${a} and ${b}, which guards cannot tell apart`;
  return [`${both} use ${how}: set another sessionCookieName, or leave 'cookie' out of the sessionCarriers of one.`];
}
