// REST exchanges against a description: path, query and body of the request; status, body and pages of the answer.

import { pageFaults } from './pages.js'
import { valueFaults as openValueFaults } from './values.js'

const PRODUCT = /^promote\//

/** Whether the product sent it, and not a test. */
export function byProduct(exchange) {
  return PRODUCT.test(exchange.request_headers['user-agent'] ?? '')
}

/** Faults that answer in place of the fake; those that only delay leave the fake's own answer. */
function injected(exchange) {
  return exchange.fault !== null && !/^\{"delay-/.test(exchange.fault)
}

/** Holds one exchange against a description. */
export function checkExchange(description, exchange, report) {
  const { method, route, status } = exchange
  const against = description.name
  const where = (what) => `${method} ${route ?? exchange.path} ${what}`
  const say = (what) => (fault) => report.violation({ against, where: where(what), ...fault })
  if (route === null) {
    // Tests ask for what is not there on purpose; the product never does.
    if (byProduct(exchange)) say('request')({ what: 'an operation that is not documented' })
    return
  }
  const operation = description.operation(method, route)
  if (!operation) {
    say('request')({ what: 'an operation that is not documented' })
    return
  }
  // A request that a test got wrong on purpose, and the fake refused, is as it should be.
  if (byProduct(exchange) || (status !== null && status < 400)) {
    requestFaults(operation, exchange).forEach(say('request'))
    report.count(`requests, ${against}`)
  }
  if (status === null || injected(exchange)) return
  let documented = operation.answer(status)
  if (!documented?.body && status >= 400 && status < 500) {
    // GitHub refuses in ways that it does not document; those that are listed as known still have its usual form.
    say(status)({ what: documented ? 'a body that is not documented' : 'a status that is not documented' })
    documented = { body: `/components/schemas/${status === 422 ? 'validation-error' : 'basic-error'}` }
  }
  if (documented) answerFaults(operation, documented, exchange).forEach(say(status))
  else say(status)({ what: 'a status that is not documented' })
  report.count(`answers, ${against}`)
}

function requestFaults(operation, exchange) {
  return [...pathFaults(operation, exchange), ...queryFaults(operation, exchange), ...bodyFaults(operation, exchange), ...headerFaults(exchange)]
}

/** The real path has the template's form, and its parts are of the kinds that the description says. */
function pathFaults(operation, { path }) {
  const parameters = new Map(operation.parameters('path').map((parameter) => [parameter.name, parameter]))
  const pattern = operation.path.split(/(\{[^}]+\})/).map((part) => {
    if (!part.startsWith('{')) return part.replace(/[.*+?^$()|[\]\\]/g, '\\$&')
    const wide = parameters.get(part.slice(1, -1))?.['x-multi-segment'] || WIDE.has(`${operation.path} ${part}`)
    return wide ? '(.+)' : '([^/]+)'
  })
  const found = new RegExp(`^${pattern.join('')}$`).exec(path) ?? bare(operation, path)
  if (!found) return [{ pointer: '/path', what: `the path is not of the form ${operation.path}` }]
  const names = [...operation.path.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name)
  return names.flatMap((name, index) => {
    const parameter = parameters.get(name)
    if (!parameter) return [{ pointer: `/path/${name}`, what: 'a path parameter that is not documented' }]
    return valueFaults(operation, parameter, decodeURIComponent(found[index + 1] ?? ''), `/path/${name}`)
  })
}

/** The root of a repository's contents is documented as `contents/{path}` with nothing for a path. */
function bare(operation, path) {
  const prefix = operation.path.match(/^(.*)\/\{path\}$/)?.[1]
  return prefix && new RegExp(`^${prefix.replace(/\{[^}]+\}/g, '([^/]+)')}$`).exec(path)
}

/** Parameters of several segments that a description does not mark; all are names of branches. */
const WIDE = new Set([
  '/repos/{owner}/{repo}/branches/{branch} {branch}',
])

function queryFaults(operation, { query }) {
  const parameters = new Map(operation.parameters('query').map((parameter) => [parameter.name, parameter]))
  const given = [...new URLSearchParams(query)]
  const missing = [...parameters.values()]
    .filter((parameter) => parameter.required && !given.some(([name]) => name === parameter.name))
    .map((parameter) => ({ pointer: `/query/${parameter.name}`, what: 'a required parameter is missing' }))
  const wrong = given.flatMap(([name, text]) => {
    const pointer = `/query/${name}`
    const parameter = parameters.get(name)
    if (!parameter) return [{ pointer, what: 'a query parameter that is not documented' }]
    const most = /\(max (\d+)\)/.exec(parameter.description ?? '')?.[1]
    const over = most && Number(text) > Number(most) ? [{ pointer, what: `more than ${most}` }] : []
    return [...over, ...valueFaults(operation, parameter, text, pointer)]
  })
  return [...missing, ...wrong]
}

/** A parameter comes as text: it must read as what its schema asks for. */
function valueFaults(operation, parameter, text, pointer) {
  const { schemas } = operation.description
  const candidates = [text]
  if (/^-?\d+(\.\d+)?$/.test(text)) candidates.unshift(Number(text))
  if (text === 'true' || text === 'false') candidates.unshift(text === 'true')
  if (candidates.some((value) => schemas.fits(parameter.pointer, value))) return []
  return schemas.faults(parameter.pointer, candidates.at(-1)).map((fault) => ({ ...fault, pointer: pointer + fault.pointer }))
}

function bodyFaults(operation, { request_body: body, request_headers: headers }) {
  const sent = Number(headers['content-length'] ?? 0) > 0 || body !== null
  const schema = operation.requestBody()
  if (!sent) return operation.bodyIsRequired() ? [{ pointer: '/body', what: 'a required body is missing' }] : []
  if (!schema) return [{ pointer: '/body', what: 'a body where none is documented' }]
  return operation.description.schemas.faults(schema, body).map((fault) => ({ ...fault, pointer: `/body${fault.pointer}` }))
}

/** What GitHub asks of every request of a client; tests may be plainer. */
function headerFaults(exchange) {
  const headers = exchange.request_headers
  const faults = []
  const wants = (name, form, what) => {
    if (!form.test(headers[name] ?? '')) faults.push({ pointer: `/headers/${name}`, what })
  }
  if (!byProduct(exchange)) return faults
  wants('accept', /^application\/vnd\.github\+json$/, 'is not the media type that GitHub recommends')
  wants('x-github-api-version', /^2022-11-28$/, 'is not the version of the API that is checked here')
  if (exchange.request_body !== null) wants('content-type', /^application\/json/, 'a JSON body is not called so')
  return faults
}

function answerFaults(operation, documented, exchange) {
  const { response_body: body, response_headers: headers } = exchange
  const faults = []
  if (documented.body) {
    if (!/^application\/json/.test(headers['content-type'] ?? '')) faults.push({ pointer: '/headers/content-type', what: 'is not JSON' })
    faults.push(...operation.description.schemas.faults(documented.body, body), ...openValueFaults(operation, exchange))
  } else if (body !== null) faults.push({ what: 'a body where none is documented' })
  if (exchange.status >= 400 && exchange.status < 500) faults.push(...refusalFaults(exchange))
  return [...faults, ...pageFaults(operation, documented, exchange)]
}

/** What every refusal of GitHub has, though no schema asks for it: what is wrong, and its status as text. */
function refusalFaults({ status, response_body: body }) {
  const faults = []
  if (typeof body?.message !== 'string' || body.message === '') faults.push({ pointer: '/message', what: 'a refusal does not say why' })
  if (body?.status !== undefined && body.status !== String(status)) faults.push({ pointer: '/status', what: `is ${JSON.stringify(body.status)} and not "${status}"` })
  return faults
}
