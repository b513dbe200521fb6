// Payloads of events against GitHub's published description of webhooks.

import { isDeepStrictEqual } from 'node:util'
import { Schemas } from './schemas.js'
import { published } from './published.js'

/** Fields that what the runner hands on has and a webhook has not, or the other way round. */
const CLOCK = ['schedule', 'workflow', 'repository', 'organization', 'sender']

export class Webhooks {
  constructor(name, { partial = false } = {}) {
    this.name = name
    this.document = JSON.parse(published(`openapi-webhooks/generated/${name}.json`))
    this.schemas = new Schemas(this.document, { partial })
  }

  /** The pointer of an event's schema, by name and action; undefined for what GitHub does not describe. */
  pointer(event, payload) {
    const name = event.replace(/_/g, '-')
    const action = String(payload.action ?? '').replace(/_/g, '-')
    const known = [`${name}-${action}`, name, event === 'repository_dispatch' ? 'repository-dispatch-sample.collected' : '']
    const found = known.find((key) => this.document.webhooks[key])
    return found && `/webhooks/${found}/post/requestBody/content/application~1json/schema`
  }

  /** What is wrong with a payload. */
  faults(event, payload) {
    // The clock is no webhook: of its payload, the parts that all payloads have are described.
    if (event === 'schedule') return this.#clock(payload)
    const pointer = this.pointer(event, payload)
    if (!pointer) return [{ what: 'an event or action that is not described' }]
    // Its sender chooses the action of a dispatch; the description knows the one of its sample.
    const held = event === 'repository_dispatch' ? { ...payload, action: 'sample.collected' } : payload
    return this.schemas.faults(pointer, held)
  }

  #clock(payload) {
    const parts = { repository: 'repository-webhooks', organization: 'organization-simple-webhooks', sender: 'simple-user' }
    const unknown = Object.keys(payload).filter((key) => !CLOCK.includes(key)).map((key) => ({ pointer: `/${key}`, what: 'a field that is not documented' }))
    const wrong = Object.entries(parts)
      .filter(([key]) => key in payload)
      .flatMap(([key, schema]) => this.schemas.faults(`/components/schemas/${schema}`, payload[key]).map((fault) => ({ ...fault, pointer: `/${key}${fault.pointer ?? ''}` })))
    const form = typeof payload.schedule === 'string' ? [] : [{ pointer: '/schedule', what: 'must be string' }]
    return [...unknown, ...wrong, ...form]
  }
}

function told(event, payload) {
  return `event ${event}${typeof payload?.action === 'string' ? ` (${payload.action})` : ''}`
}

/** Holds what the fake made against a description. */
export function checkEvents(webhooks, events, report) {
  for (const { origin, name, payload } of events) {
    if (origin !== 'made') continue
    const say = (fault) => report.violation({ against: `webhooks of ${webhooks.name}`, where: told(name, payload), ...fault })
    webhooks.faults(name, payload).forEach(say)
    report.count(`payloads, ${webhooks.name}`)
  }
}

/** Names of the events that steps were started with exactly as they were made, and so as they were checked. */
export function deliveredWhole(events, report) {
  const made = events.filter(({ origin }) => origin === 'made')
  const names = new Set()
  for (const { origin, name, payload } of events) {
    if (origin !== 'delivered') continue
    const whole = made.some((other) => other.name === name && isDeepStrictEqual(other.payload, payload))
    report.count(whole ? 'events delivered as they were made' : 'events delivered as a test altered them')
    if (whole) names.add(name)
  }
  return names
}
