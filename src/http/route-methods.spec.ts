import { Controller, Delete, Get, Patch, Post, Put } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { RouteMethods } from './route-methods.js';

@Controller('v1/things')
class ThingsController {
  @Post()
  create() {}

  @Get()
  list() {}

  @Get(':id')
  read() {}

  @Put(':id')
  replace() {}

  @Delete(':id')
  remove() {}

  @Post('verify')
  verify() {}

  helper() {}
}

@Controller('v1/things/:id/parts')
class PartsController {
  @Patch(':key')
  change() {}
}

@Controller()
class RootController {
  @Get()
  root() {}
}

describe('RouteMethods', () => {
  let routes: RouteMethods;

  beforeAll(async () => {
    const module = await Test.createTestingModule({
      imports: [DiscoveryModule],
      controllers: [ThingsController, PartsController, RootController],
      providers: [RouteMethods],
    }).compile();
    routes = module.get(RouteMethods);
  });

  test.each([
    ['/v1/things', ['GET', 'HEAD', 'POST']],
    ['/v1/things?limit=1', ['GET', 'HEAD', 'POST']],
    ['/v1/things/7', ['DELETE', 'GET', 'HEAD', 'PUT']],
    ['/v1/things/a%2Fb', ['DELETE', 'GET', 'HEAD', 'PUT']],
    ['/v1/things/verify', ['DELETE', 'GET', 'HEAD', 'POST', 'PUT']],
    ['/v1/things/7/parts/role', ['PATCH']],
    ['/', ['GET', 'HEAD']],
  ])('returns the methods of %s in alphabetical order, each once', (url, methods) => {
    expect(routes.of(url)).toEqual(methods);
  });

  test.each([
    '/v1/thing',
    '/v1/things/',
    '/V1/things',
    '/v1/things/7/',
    '/v1/things/7/parts',
    '/v1/things/7/parts/role/more',
    '/more/v1/things',
    '//v1/things',
    '/helper',
    '',
    '?/v1/things',
    '*',
  ])('returns no methods for the unknown path %j', (url) => {
    expect(routes.of(url)).toEqual([]);
  });
});
