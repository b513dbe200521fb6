// The recording of a test run: exchanges with the fake GitHub, and the events it made.

import { readFileSync } from 'node:fs'

const PRODUCT = /^promote\//

/** Whether the product sent it, and not a test. */
export function byProduct(exchange) {
  return PRODUCT.test(exchange.request_headers['user-agent'] ?? '')
}

/** Reads a recording; `{rest, graphql, git, events}`. */
export function readRecording(path) {
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean)
  const entries = lines.map((line, index) => {
    try {
      return JSON.parse(line)
    } catch {
      throw new Error(`line ${index + 1} of the recording is not JSON: it was cut short, or written by two at once`)
    }
  })
  const of = (surface) => entries.filter((entry) => entry.surface === surface)
  return { rest: of('rest'), graphql: of('graphql'), git: of('git'), events: different(of('event')) }
}

/** Payloads are made again and again; one of a kind is enough. */
function different(events) {
  return [...new Map(events.map(({ fake: _, ...event }) => [JSON.stringify(event), event])).values()]
}
