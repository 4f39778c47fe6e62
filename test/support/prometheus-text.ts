/** One measured value. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const HELP = /^# HELP ([a-zA-Z_:][\w:]*) \S.*$/;
const TYPE = /^# TYPE ([a-zA-Z_:][\w:]*) (?:counter|gauge|histogram|summary)$/;
const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /^([a-zA-Z_]\w*)="((?:[^"\\]|\\["\\n])*)"(?:,|$)/;
const NUMBER = /^(?:[+-]?Inf|Nan|[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/i;

/** Parses the Prometheus text format; throws at an invalid line, and at a sample without TYPE and HELP. */
export function parseMetrics(text: string): readonly Sample[] {
  if (!text.endsWith('\n')) throw new Error('The last line does not end.');
  const [helped, typed] = [new Set<string>(), new Set<string>()];
  return text.split('\n').flatMap((line) => {
    if (line === '') return [];
    const [, help] = HELP.exec(line) ?? [];
    const [, type] = TYPE.exec(line) ?? [];
    if (help !== undefined) helped.add(help);
    if (type !== undefined) typed.add(type);
    if (help !== undefined || type !== undefined) return [];
    const [, name = '', labels = '', number = ''] = SAMPLE.exec(line) ?? [];
    const family = [name, name.replace(/_(?:bucket|sum|count)$/, '')].find((known) => typed.has(known));
    if (family === undefined || !helped.has(family) || !NUMBER.test(number)) throw new Error(`Not a sample: ${line}`);
    return [{ name, labels: parseLabels(labels), value: toNumber(number) }];
  });
}

function parseLabels(text: string): Readonly<Record<string, string>> {
  if (text === '') return {};
  const [whole = '', name = '', value = ''] = LABEL.exec(text) ?? [];
  if (whole === '') throw new Error(`Not a label: ${text}`);
  return { [name]: value, ...parseLabels(text.slice(whole.length)) };
}

function toNumber(text: string): number {
  return Number(text.replace(/inf$/i, 'Infinity').replace(/^nan$/i, 'NaN'));
}
