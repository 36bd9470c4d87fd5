/**
 * Shapes of the alerts' HTTP API. Times are epoch seconds, durations seconds; they are sent as texts such as "300s".
 *
 * @typedef {"unknown" | "ok" | "pending" | "firing"} StateName
 * @typedef {"info" | "warning" | "critical"} Level
 * @typedef {{is: string, [key: string]: any}} Condition
 * @typedef {{name: string, bucket: string, stream: string, when: Condition, for: number | string, level: Level,
 *   message: string, actions: string[], tell_when_over: boolean, enabled: boolean, webhook: string | null}} Rule
 * @typedef {{bucket: string, stream: string, state: StateName, since: number | null, last: number | null,
 *   value: any, silenced: boolean}} StreamState
 * @typedef {{id: string, version: number, editable: boolean, rule: Rule, sentence: string,
 *   counts: Record<StateName, number>, states: StreamState[]}} RuleEntry
 * @typedef {{id: string, rule: string, bucket: string | null, stream: string | null, until: number}} Silence
 * @typedef {{name: string, type: string, trouble: string}} Action
 * @typedef {{now: number, rules: RuleEntry[], actions: Action[], silences: Silence[], page_webhooks: string[],
 *   forgotten: number}} AlertsAnswer
 * @typedef {{action: string, about: string, outcome: string, attempts: number, detail: string, at: number | null}} Notice
 * @typedef {{id: string, rule: string, name: string, level: Level, bucket: string, stream: string, value: any,
 *   began: number, fired: number, over: number | null, text: string, over_text: string, notices: Notice[]}} Firing
 * @typedef {{now: number, firings: Firing[]}} HistoryAnswer
 * @typedef {{rule: string, name: string, level: Level, stream: string, state: StateName, since: number | null,
 *   silenced: boolean}} Standing how a stream stands under the worst of its rules
 * @typedef {{state: StateName, level: Level, silenced: boolean, streams: number}} Worst of a bucket, and how many
 *   streams are in this state
 * @typedef {{sentence: string, streams: number, looked_at: number, firings: number, firing_now: number,
 *   examples: string[]}} Preview
 */

export {};
