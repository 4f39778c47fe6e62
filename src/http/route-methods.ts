import { Injectable, RequestMethod } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';

/** Nest's metadata keys for the path and the method of a route. */
const PATH = 'path';
const METHOD = 'method';

interface Route {
  readonly pattern: RegExp;
  readonly method: string;
}

/** Finds the methods that a path supports. */
@Injectable()
export class RouteMethods {
  #routes: readonly Route[] | undefined;

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {}

  /** Returns the methods of a URL in alphabetical order, or none if the path does not exist. */
  of(url: string): readonly string[] {
    const [path = ''] = url.split('?');
    this.#routes ??= this.#findRoutes();
    const methods = this.#routes.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method);
    return [...new Set(methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])))].toSorted();
  }

  #findRoutes(): Route[] {
    return this.discovery.getControllers().flatMap(({ metatype }) => {
      const prototype = (metatype as Function).prototype as Record<string, object>;
      const root = Reflect.getMetadata(PATH, metatype as Function) as string;
      return this.scanner.getAllMethodNames(prototype).flatMap((name) => {
        const path = Reflect.getMetadata(PATH, prototype[name]!) as string | undefined;
        if (path === undefined) return [];
        const method = RequestMethod[Reflect.getMetadata(METHOD, prototype[name]!) as RequestMethod];
        return [{ pattern: patternOf(`${root}/${path}`), method }];
      });
    });
  }
}

function patternOf(path: string): RegExp {
  const segments = path.split('/').filter((segment) => segment !== '');
  return new RegExp(`^/${segments.map((segment) => (segment.startsWith(':') ? '[^/]+' : segment)).join('/')}$`);
}
