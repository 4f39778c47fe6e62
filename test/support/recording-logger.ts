import type { LoggerService } from '@nestjs/common';

/** Records the lines that an application logs, each with its level. */
export class RecordingLogger implements LoggerService {
  readonly lines: string[] = [];

  log(message: unknown): void {
    this.#record('log', message);
  }

  warn(message: unknown): void {
    this.#record('warn', message);
  }

  error(message: unknown): void {
    this.#record('error', message);
  }

  /** The lines that contain a text. */
  with(text: string): readonly string[] {
    return this.lines.filter((line) => line.includes(text));
  }

  #record(level: string, message: unknown): void {
    this.lines.push(`${level} ${message instanceof Error ? message.message : String(message)}`);
  }
}
