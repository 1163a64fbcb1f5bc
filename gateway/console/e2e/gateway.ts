// The real binary, in a folder of its own on loopback: `outpost demo`, or `outpost run` with a district of the test's own.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { DEADLINE_MS } from './deadline';

const POLL_MS = 50;
const BINARY = process.env.OUTPOST_BIN ?? resolve(import.meta.dirname, '../../../target/debug/outpost');
/** What the gateway prints and logs, in its folder. */
const SAID = 'said.txt';

export function sleep(ms: number): Promise<void> {
  return new Promise(done => setTimeout(done, ms));
}

/** A port of loopback that nobody has now. */
export function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer().once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (address && typeof address === 'object' ? done(address.port) : fail(new Error('no port'))));
    });
  });
}

export class Gateway {
  private process: ChildProcess | undefined;

  private constructor(private readonly folder: string, private readonly parameters: string[], public url: string, readonly token = '') {}

  /** The demo as `make demo` shows it, with its own recordings, broker and cameras. */
  static async demo(): Promise<Gateway> {
    const folder = mkdtempSync(join(tmpdir(), 'outpost-e2e-'));
    const gateway = new Gateway(folder, ['demo', '--data', join(folder, 'data'), '--listen'], '');
    gateway.launch('127.0.0.1:0');
    await gateway.eventually(() => {
      gateway.url = /http:\/\/[\d.:]+\//.exec(gateway.said)?.[0] ?? '';
      return gateway.url !== '';
    });
    return gateway;
  }

  /** A district of files by their names; `district.toml` gets the address of its API beside what it says, and the token of the file
      `token` where there is one. */
  static async run(files: Record<string, string | Buffer>): Promise<Gateway> {
    const folder = mkdtempSync(join(tmpdir(), 'outpost-e2e-'));
    const address = `127.0.0.1:${await freePort()}`;
    const { 'district.toml': district, ...others } = files;
    const guard = files.token === undefined ? '' : `token = { file = ${JSON.stringify(join(folder, 'token'))} }\n`;
    const own = `[store]\nfolder = ${JSON.stringify(join(folder, 'data'))}\n[api]\nlisten = "${address}"\n${guard}`;
    for (const [name, text] of Object.entries({ ...others, 'district.toml': own + (district ?? '') })) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    const gateway = new Gateway(folder, ['run', '--config', join(folder, 'district.toml')], `http://${address}/`, files.token?.toString());
    gateway.launch();
    await gateway.eventually(async () => (await fetch(`${gateway.url}readyz`)).ok);
    return gateway;
  }

  /** As a power cut would: nothing is told to anybody. */
  async kill(): Promise<void> {
    const running = this.process;
    this.process = undefined;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    await new Promise(done => {
      running.once('exit', done);
      running.kill('SIGKILL');
    });
  }

  /** At the same address, on the same data. */
  async startAgain(): Promise<void> {
    this.launch(...(this.parameters[0] === 'demo' ? [new URL(this.url).host] : []));
    await this.eventually(async () => (await fetch(`${this.url}healthz`)).ok);
  }

  async close(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The page as somebody with the token opens it. */
  page(query = ''): string {
    const said = [query, this.token && `token=${this.token}`].filter(Boolean).join('&');
    return this.url + (said && `?${said}`);
  }

  async get<T>(path: string): Promise<T> {
    return JSON.parse(await this.ask(path, {})) as T;
  }

  /** `key`: the sender's name of the request, where it has one. */
  async post<T>(path: string, body: unknown, key?: string): Promise<T> {
    const headers = { 'content-type': 'application/json', ...(key && { 'idempotency-key': key }) };
    return JSON.parse(await this.ask(path, { method: 'POST', headers, body: JSON.stringify(body) })) as T;
  }

  async upload(path: string, body: BodyInit): Promise<void> {
    await this.ask(path, { method: 'POST', body });
  }

  /** Asks again until it is so; what cannot be asked yet is not so yet. */
  async eventually(isSo: () => boolean | Promise<boolean>): Promise<void> {
    const untilMs = performance.now() + DEADLINE_MS;
    for (;;) {
      const found = await Promise.resolve().then(isSo).catch(() => false);
      if (found) return;
      const code = this.process?.exitCode ?? null;
      if (code !== null || performance.now() > untilMs) throw new Error(`never so (exit ${code}): ${isSo}\n${this.said}`);
      await sleep(POLL_MS);
    }
  }

  private async ask(path: string, request: RequestInit): Promise<string> {
    const headers = { ...request.headers, ...(this.token && { authorization: `Bearer ${this.token}` }) };
    const response = await fetch(`${this.url}api/v1/${path}`, { ...request, headers });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    return text;
  }

  private get said(): string {
    return readFileSync(join(this.folder, SAID), 'utf8');
  }

  private launch(...more: string[]): void {
    const output = openSync(join(this.folder, SAID), 'w');
    this.process = spawn(BINARY, [...this.parameters, ...more], { stdio: ['ignore', output, output], cwd: this.folder });
  }
}
