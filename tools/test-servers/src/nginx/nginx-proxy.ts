import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../eventually.js';
import { freePort } from '../free-port.js';
import { nginxProgram } from './install-nginx.js';

/**
 * An nginx that forwards requests as many installations do: it compresses responses, and normalises paths, because its
 * `proxy_pass` has a path. One process, which ends with this one.
 */
export class NginxProxy {
  private constructor(
    readonly url: string,
    private readonly folder: string,
    private readonly child: ChildProcess,
  ) {}

  /** Starts a proxy in front of a server. */
  static async start(target: string): Promise<NginxProxy> {
    const folder = await mkdtemp(join(tmpdir(), 'test-nginx-'));
    const port = await freePort();
    await writeFile(join(folder, 'nginx.conf'), configurationOf(port, target, folder));
    const options = ['-p', folder, '-e', join(folder, 'error.log'), '-c', join(folder, 'nginx.conf')];
    const child = spawn(nginxProgram(), options, { stdio: 'ignore' });
    const proxy = new NginxProxy(`http://127.0.0.1:${port}`, folder, child);
    const end = () => child.kill('SIGTERM');
    process.once('exit', end);
    child.once('exit', () => process.off('exit', end));
    try {
      await eventually(() => accepts(port));
    } catch (cause) {
      const log = await readFile(join(folder, 'error.log'), 'utf8').catch(() => '');
      await proxy.stop();
      throw new Error(`nginx does not listen:\n${log}`, { cause });
    }
    return proxy;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill('SIGTERM');
      await once(this.child, 'exit');
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}

function configurationOf(port: number, target: string, folder: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${join(folder, name)};`,
  );
  return `daemon off;
master_process off;
worker_processes 1;
pid ${join(folder, 'nginx.pid')};
events {}
http {
  access_log off;
  ${temporary.join('\n  ')}
  gzip on;
  gzip_min_length 1;
  gzip_proxied any;
  gzip_types application/json;
  large_client_header_buffers 4 16k;
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_pass ${target}/;
    }
  }
}
`;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
