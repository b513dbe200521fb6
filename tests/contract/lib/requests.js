// The request of a REST exchange against its operation: path, query, body, and the headers that GitHub asks for.

import { byProduct } from './recording.js'

/** What is wrong with a request. */
export function requestFaults(operation, exchange) {
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
    const raw = found[index + 1] ?? ''
    return [...refFaults(operation, parameter, raw), ...valueFaults(operation, parameter, decodeURIComponent(raw), `/path/${name}`)]
  })
}

/** Git's refs keep their slashes, leave out `refs/`, and nothing is encoded twice. */
function refFaults({ path }, { name }, raw) {
  const pointer = `/path/${name}`
  const faults = /%25[0-9a-f]{2}/i.test(raw) ? [{ pointer, what: 'is encoded twice' }] : []
  if (!/\/git\/(ref|refs|matching-refs)\/\{ref\}$/.test(path) || name !== 'ref') return faults
  if (/%2f/i.test(raw)) faults.push({ pointer, what: 'has an encoded slash, which is no part of a path' })
  if (/^refs\//.test(decodeURIComponent(raw))) faults.push({ pointer, what: 'begins with `refs/`, which is in the path already' })
  return faults
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
    if (parameter.schema.format === 'date-time' && /range/.test(parameter.description)) return isRange(text) ? [] : [{ pointer, what: 'is no date and no range of dates' }]
    const most = /\(max (\d+)\)/.exec(parameter.description ?? '')?.[1]
    const over = most && Number(text) > Number(most) ? [{ pointer, what: `more than ${most}` }] : []
    const under = ['page', 'per_page'].includes(name) && Number(text) < 1 ? [{ pointer, what: 'less than 1' }] : []
    return [...over, ...under, ...valueFaults(operation, parameter, text, pointer)]
  })
  const names = given.map(([name]) => name)
  const twice = names.filter((name, index) => names.indexOf(name) !== index && !name.endsWith('[]'))
  return [...missing, ...wrong, ...twice.map((name) => ({ pointer: `/query/${name}`, what: 'is given more than once' }))]
}

const MOMENT = String.raw`\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d))?`
const RANGE = new RegExp(`^((>|>=|<|<=)?${MOMENT}|${MOMENT}\\.\\.(${MOMENT}|\\*)|\\*\\.\\.${MOMENT})$`)

/** A moment, or a range in the syntax that GitHub's searches have; the description calls both a moment. */
function isRange(text) {
  return RANGE.test(text) && (text.match(new RegExp(MOMENT, 'g')) ?? []).every((moment) => !Number.isNaN(Date.parse(moment)))
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

/** GitHub refuses longer texts ("body is too long"), though no schema says so. */
const MOST = 65_536
const LONG = /\/(pulls|issues)(\/\{[^}]+\}(\/comments)?)?$/

function bodyFaults(operation, { request_body: body, request_headers: headers }) {
  const sent = Number(headers['content-length'] ?? 0) > 0 || body !== null
  const schema = operation.requestBody()
  if (!sent) return operation.bodyIsRequired() ? [{ pointer: '/body', what: 'a required body is missing' }] : []
  if (!schema) return [{ pointer: '/body', what: 'a body where none is documented' }]
  const long = LONG.test(operation.path) && body?.body?.length > MOST ? [{ pointer: '/body/body', what: `more than ${MOST} characters` }] : []
  return [...long, ...operation.description.schemas.faults(schema, body).map((fault) => ({ ...fault, pointer: `/body${fault.pointer}` }))]
}

/** What GitHub asks of every request of a client; tests may be plainer. */
function headerFaults(exchange) {
  const headers = exchange.request_headers
  const faults = []
  const wants = (name, form, what) => {
    if (!form.test(headers[name] ?? '')) faults.push({ pointer: `/headers/${name}`, what })
  }
  if (!byProduct(exchange)) return faults
  if (headers.authorization === undefined) faults.push({ pointer: '/headers/authorization', what: 'there is no token' })
  wants('accept', /^application\/vnd\.github\+json$/, 'is not the media type that GitHub recommends')
  wants('x-github-api-version', /^2022-11-28$/, 'is not the version of the API that is checked here')
  if (exchange.request_body !== null) wants('content-type', /^application\/json/, 'a JSON body is not called so')
  return faults
}
